// Logs through spdlog's thread-safe stderr sink; this file formats the line.
#define FMT_HEADER_ONLY 1
#include "base/diagnostics/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/text/untrusted_text.h"
#include "base/text/utf8.h"

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
  constexpr std::string_view names[] = {"debug", "info", "warning", "error"};  // in the order of Level
  static_assert(std::size(names) == static_cast<std::size_t>(Level::Error) + 1);
  return names[static_cast<std::size_t>(level)];
}

/// Maximum length of a message or a value: a line is for people, and no quoted text may fill a disk or an event stream.
constexpr std::size_t kMaxValue = 4096;

/// "\u001b"; characters beyond U+FFFF become surrogate pairs, as JSON requires.
void appendUnicodeEscape(std::string& out, char32_t code) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (code > 0xffff) {
    appendUnicodeEscape(out, 0xd800 + ((code - 0x10000) >> 10));
    code = 0xdc00 + ((code - 0x10000) & 0x3ff);
  }
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(digits[(code >> shift) & 15]);
}

enum class Quotes { Keep, Escape };

/// JSON string escapes, in text logs too, so that no input can forge a line or control a terminal. Bytes that are not UTF-8 become U+FFFD.
void appendEscaped(std::string& out, std::string_view text, Quotes quotes) {
  const std::size_t end = out.size() + kMaxValue;
  while (!text.empty()) {
    if (out.size() >= end) {
      out += "…";
      return;
    }
    const Utf8Character character = firstCharacter(text);
    if (character.bytes == 0) {
      out += "\xef\xbf\xbd";
    } else if (quotes == Quotes::Escape && (character.code == '"' || character.code == '\\')) {
      out.push_back('\\');
      out.push_back(text[0]);
    } else if (character.code == '\n') {
      out += "\\n";
    } else if (isPrintable(character.code)) {
      out.append(text.substr(0, character.bytes));
    } else {
      appendUnicodeEscape(out, character.code);
    }
    text.remove_prefix(std::max<std::size_t>(character.bytes, 1));
  }
}

void appendQuoted(std::string& out, std::string_view text) {
  out.push_back('"');
  appendEscaped(out, text, Quotes::Escape);
  out.push_back('"');
}

bool isPlain(std::string_view text) {
  if (text.empty() || text.size() > kMaxValue) return false;
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
  appendEscaped(line, message, Quotes::Keep);
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
