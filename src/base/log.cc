// Logs through spdlog's thread-safe stderr sink; the line itself is built here.
#define FMT_HEADER_ONLY 1
#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "base/clock.h"

namespace swarm::log {
namespace {

std::atomic<Level> current_level{Level::Info};
std::atomic<Style> current_style{Style::Text};
std::mutex tap_mutex;
Tap current_tap;

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("swarm", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::debug);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

std::string_view nameOf(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Warning:
      return "warning";
    case Level::Error:
      return "error";
  }
  return "error";
}

/// How many bytes the UTF-8 character at the beginning of `text` has; 0 when it is none (overlong, surrogate, cut off, beyond U+10FFFF).
std::size_t characterLength(std::string_view text) {
  auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  auto continues = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f);
    return !wrong && continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    bool wrong = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return !wrong && continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

/// JSON string escapes; in text logs too, so that no input can forge a line or steer a terminal. Bytes that are no UTF-8 become U+FFFD.
void appendEscaped(std::string& out, std::string_view text, bool quotes) {
  constexpr std::string_view digits = "0123456789abcdef";
  while (!text.empty()) {
    std::size_t length = characterLength(text);
    auto byte = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (quotes && (byte == '"' || byte == '\\')) {
      out.push_back('\\');
      out.push_back(text[0]);
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

void appendQuoted(std::string& out, std::string_view text) {
  out.push_back('"');
  appendEscaped(out, text, true);
  out.push_back('"');
}

bool isPlain(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '\\' || c == '=') return false;
  }
  return true;
}

std::string textLine(Level level, std::string_view message, Fields fields) {
  std::string line = formatTime(RealClock().now());
  line += ' ';
  line += nameOf(level);
  line.append(level == Level::Info ? 4 : level == Level::Warning ? 1 : 3, ' ');
  appendEscaped(line, message, false);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    if (!field.quoted || isPlain(field.value)) {
      line += field.value;
    } else {
      appendQuoted(line, field.value);
    }
  }
  return line;
}

std::string jsonLine(Level level, std::string_view message, Fields fields) {
  std::string line = "{\"time\":\"" + formatTime(RealClock().now()) + "\",\"level\":\"" + std::string(nameOf(level)) + "\",\"message\":";
  appendQuoted(line, message);
  for (const Field& field : fields) {
    line += ',';
    appendQuoted(line, field.key);
    line += ':';
    if (field.quoted) {
      appendQuoted(line, field.value);
    } else {
      line += field.value;
    }
  }
  line += '}';
  return line;
}

}  // namespace

void configure(Level level, Style style) {
  current_level = level;
  current_style = style;
}

Level level() { return current_level.load(std::memory_order_relaxed); }

void setTap(Tap tap) {
  std::lock_guard lock(tap_mutex);
  current_tap = std::move(tap);
}

void write(Level level, std::string_view message, Fields fields) {
  if (level < current_level.load(std::memory_order_relaxed)) return;
  std::string line = current_style == Style::Json ? jsonLine(level, message, fields) : textLine(level, message, fields);
  logger().log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  if (level < Level::Warning) return;
  std::lock_guard lock(tap_mutex);
  if (current_tap) current_tap(current_style == Style::Json ? line : jsonLine(level, message, fields));
}

}  // namespace swarm::log
