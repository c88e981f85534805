// Fields of SSH's messages and keys (RFC 4251, section 5).
#pragma once

#include <string>
#include <string_view>

namespace swarm::ssh {

inline std::string wireNumber(std::size_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}
inline std::string wireText(std::string_view text) { return wireNumber(text.size()) + std::string(text); }

}  // namespace swarm::ssh
