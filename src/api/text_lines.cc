// Lines and UTF-8.
#include "api/text_lines.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace swarm::api {
namespace {

constexpr std::size_t kLongestLine = 64 * 1024;

bool isContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/// Bytes of the well-formed sequence at the begin of `text`; 0: there is none (Unicode 15, table 3-7).
std::size_t sequenceLength(std::string_view text) {
  auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  unsigned char first = static_cast<unsigned char>(byte(0));
  unsigned char second = static_cast<unsigned char>(byte(1));
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return isContinuation(second) ? 2 : 0;
  bool third = isContinuation(static_cast<unsigned char>(byte(2)));
  if (first >= 0xE0 && first <= 0xEF) {
    bool second_fits = isContinuation(second) && (first != 0xE0 || second >= 0xA0) && (first != 0xED || second <= 0x9F);
    return second_fits && third ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    bool second_fits = isContinuation(second) && (first != 0xF0 || second >= 0x90) && (first != 0xF4 || second <= 0x8F);
    return second_fits && third && isContinuation(static_cast<unsigned char>(byte(3))) ? 4 : 0;
  }
  return 0;
}

std::string asJson(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return boost::json::serialize(boost::json::object{{"line", toValidUtf8(line)}}) + "\n";
}

}  // namespace

std::string toValidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t length = sequenceLength(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      length = 1;
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string NdjsonLines::add(std::string_view piece) {
  std::string out;
  rest_ += piece;
  std::string_view left = rest_;
  for (std::size_t end = left.find('\n'); end != std::string_view::npos || left.size() > kLongestLine; end = left.find('\n')) {
    bool cut = end == std::string_view::npos || end > kLongestLine;
    out += asJson(left.substr(0, cut ? kLongestLine : end));
    left.remove_prefix(cut ? kLongestLine : end + 1);
  }
  rest_ = std::string(left);
  return out;
}

std::string NdjsonLines::finish() {
  if (rest_.empty()) return {};
  return asJson(std::exchange(rest_, {}));
}

}  // namespace swarm::api
