// Numbers in texts.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace swarm {

/// The number that the whole of `text` is, as std::from_chars reads it (no blanks, no "+"); nothing where it is none or out of range.
template <typename Number>
std::optional<Number> parseNumber(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace swarm
