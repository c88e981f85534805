// A time span for people.
#pragma once

#include <cstdint>
#include <string>

namespace swarm {

std::string durationText(std::int64_t seconds);  ///< "20 s", "3 min", "5 h", "2 d"

}  // namespace swarm
