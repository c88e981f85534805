// Fields of SSH's messages, keys and certificates (RFC 4251, section 5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::ssh {

inline std::string wireNumber(std::size_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}
inline std::string wireText(std::string_view text) { return wireNumber(text.size()) + std::string(text); }

/// Reads fields one after another. From the first one that is missing on, all are empty or 0.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  std::string_view text() { return take(static_cast<std::size_t>(number(4))); }
  /// Of `size` bytes, 8 at most.
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const char byte : take(size)) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
  }
  std::string_view rest() const { return rest_; }
  bool hasFailed() const { return has_failed_; }
  /// All fields were there, and nothing follows them.
  bool isAtEnd() const { return !has_failed_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    if (has_failed_ || size > rest_.size()) {
      has_failed_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view field = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return field;
  }

  std::string_view rest_;
  bool has_failed_ = false;
};

}  // namespace swarm::ssh
