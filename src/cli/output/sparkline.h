// Sparkline: numbers over time as a line of text. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace swarm::cli {

/// A bar of eight heights for each value, from 0 to the largest of `values` and `least`; a blank where there is no value.
std::string sparkline(std::span<const std::optional<double>> values, double least);

}  // namespace swarm::cli
