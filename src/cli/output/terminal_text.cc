// Escapes for JSON, and the filter of logs.
#include "cli/output/output.h"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "base/text/utf8.h"

namespace swarm::cli {
namespace {

constexpr std::size_t kMaxLine = 64 * 1024;

void appendEscaped(std::string& out, char32_t code) {
  if (code < 0x10000) {
    out += format("\\u{:04x}", static_cast<unsigned>(code));
    return;
  }
  const unsigned rest = static_cast<unsigned>(code) - 0x10000;
  out += format("\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
}

/// The length of an SGR sequence at the start of `text`: ESC [ digits ; : m. 0: none.
std::size_t colourLength(std::string_view text) {
  if (!text.starts_with("\033[")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789;:", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

std::string cleaned(std::string_view line) {
  std::string out;
  std::size_t begin = 0;
  const auto flush = [&](std::size_t end) {
    if (end > begin) out += printable(line.substr(begin, end - begin), 4 * kMaxLine, LineBreaks::Keep);
  };
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t length = colourLength(line.substr(at));
    if (length == 0) {
      ++at;
      continue;
    }
    flush(at);
    out += line.substr(at, length);
    at += length;
    begin = at;
  }
  flush(line.size());
  return out;
}

}  // namespace

std::string jsonString(std::string_view text) {
  const std::string quoted = boost::json::serialize(boost::json::string(text));
  std::string out;
  for (std::string_view rest = quoted; !rest.empty();) {
    const Utf8Character next = firstCharacter(rest);
    if (next.bytes > 0 && isPrintable(next.code))
      out += rest.substr(0, next.bytes);
    else
      appendEscaped(out, next.bytes > 0 ? next.code : U'\uFFFD');
    rest.remove_prefix(std::max<std::size_t>(next.bytes, 1));
  }
  return out;
}

std::string LogFilter::feed(std::string_view piece) {
  pending_ += piece;
  std::string out;
  for (;;) {
    std::size_t end = pending_.find('\n');
    if (end == std::string::npos && pending_.size() < kMaxLine) return out;
    const std::size_t length = end == std::string::npos ? kMaxLine : end + 1;
    std::string line = pending_.substr(0, length);
    pending_.erase(0, length);
    if (line.ends_with("\r\n")) line.erase(line.size() - 2, 1);
    out += cleaned(line);
  }
}

std::string LogFilter::finish() { return cleaned(std::exchange(pending_, {})); }

}  // namespace swarm::cli
