// swarm::format: fmt's format strings, checked at compile time, with the heavy part compiled once (format.cc).
#pragma once

#include <fmt/core.h>

#include <string>

namespace swarm {

std::string formatText(fmt::string_view text, fmt::format_args args);

template <typename... Args>
std::string format(fmt::format_string<Args...> text, Args&&... args) {
  return formatText(text, fmt::make_format_args(args...));
}

}  // namespace swarm
