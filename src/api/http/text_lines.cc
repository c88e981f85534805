// Splits at newlines.
#include "api/http/text_lines.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/text/utf8.h"

namespace swarm::api {
namespace {

constexpr std::size_t kMaxLogLine = 64 * 1024;

std::string asJson(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return boost::json::serialize(boost::json::object{{"line", toValidUtf8(line)}}) + "\n";
}

}  // namespace

std::string NdjsonLines::add(std::string_view piece) {
  std::string out;
  rest_ += piece;
  std::string_view left = rest_;
  for (std::size_t end = left.find('\n'); end != std::string_view::npos || left.size() > kMaxLogLine; end = left.find('\n')) {
    bool cut = end == std::string_view::npos || end > kMaxLogLine;
    out += asJson(left.substr(0, cut ? kMaxLogLine : end));
    left.remove_prefix(cut ? kMaxLogLine : end + 1);
  }
  rest_ = std::string(left);
  return out;
}

std::string NdjsonLines::finish() {
  if (rest_.empty()) return {};
  return asJson(std::exchange(rest_, {}));
}

}  // namespace swarm::api
