#include "base/text/duration_text.h"

#include "base/text/format.h"

namespace swarm {

std::string durationText(std::int64_t seconds) {
  if (seconds < 100) return format("{} s", seconds < 0 ? 0 : seconds);
  if (seconds < 100 * 60) return format("{} min", (seconds + 30) / 60);
  if (seconds < 48 * 3600) return format("{} h", (seconds + 1800) / 3600);
  return format("{} d", (seconds + 43200) / 86400);
}

}  // namespace swarm
