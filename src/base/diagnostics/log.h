// Structured logs: a message and key-value fields, as text or JSON lines on stderr. Only log.cc uses spdlog.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/strong_id.h"

namespace swarm::log {

enum class Level { Debug, Info, Warning, Error };
enum class Style { Text, Json };

/// One field. Integers, floating point numbers, booleans, strings and ids convert; a Secret prints as ***.
struct Field {
  std::string_view key;
  std::string value;
  bool quoted = true;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  template <typename Tag>
  Field(std::string_view k, const StrongId<Tag>& v) : key(k), value(v.str()) {}
  Field(std::string_view k, const Secret&) : key(k), value("***") {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), quoted(false) {}
  template <typename Number>
    requires(std::integral<Number> || std::floating_point<Number>)
  Field(std::string_view k, Number v) : key(k), value(std::to_string(v)), quoted(!isJsonNumber(value)) {}

 private:
  /// Infinities and NaN are written as words: JSON has no number for them.
  static bool isJsonNumber(std::string_view text) { return text.find_first_of("in") == std::string_view::npos; }
};

using Fields = std::initializer_list<Field>;

/// Sets the process-wide level and style; call it once in main before other threads start. Defaults: Info, Text.
void configure(Level level, Style style);
Level level();

/// Also passes warnings and errors, as JSON lines, to `tap` on the thread that logs, one at a time; `tap` must not log. An empty function
/// removes the tap. Thread-safe: when setTap() returns, no call of the previous tap is running.
using Tap = std::function<void(const std::string& json_line)>;
void setTap(Tap tap);

/// Thread-safe. Message and values are escaped, and cut at 4 KiB each.
void write(Level level, std::string_view message, Fields fields);
inline void debug(std::string_view message, Fields fields = {}) {
  if (level() <= Level::Debug) write(Level::Debug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) { write(Level::Info, message, fields); }
inline void warning(std::string_view message, Fields fields = {}) { write(Level::Warning, message, fields); }
inline void error(std::string_view message, Fields fields = {}) { write(Level::Error, message, fields); }

}  // namespace swarm::log
