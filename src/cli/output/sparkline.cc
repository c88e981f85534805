#include "cli/output/sparkline.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace swarm::cli {

std::string sparkline(std::span<const std::optional<double>> values, double least) {
  static constexpr std::string_view kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  double highest = least;
  for (const auto& value : values) highest = std::max(highest, value.value_or(0));
  std::string line;
  for (const auto& value : values) {
    if (!value) {
      line += ' ';
      continue;
    }
    const double height = highest > 0 ? std::clamp(*value / highest, 0.0, 1.0) : 0;
    line += kBars[std::min<std::size_t>(static_cast<std::size_t>(height * std::size(kBars)), std::size(kBars) - 1)];
  }
  return line;
}

}  // namespace swarm::cli
