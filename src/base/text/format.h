// swarm::format: fmt's format strings, checked at compile time, with the heavy part compiled once (format.cc).
#pragma once

#include <fmt/core.h>

#include <string>

#include "base/strong_id.h"

namespace swarm {

std::string formatText(fmt::string_view text, fmt::format_args args);

template <typename... Args>
std::string format(fmt::format_string<Args...> text, Args&&... args) {
  return formatText(text, fmt::make_format_args(args...));
}

}  // namespace swarm

template <typename Tag>
struct fmt::formatter<swarm::StrongId<Tag>> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  auto format(const swarm::StrongId<Tag>& id, fmt::format_context& context) const { return fmt::format_to(context.out(), "{}", id.str()); }
};
