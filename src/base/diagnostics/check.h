// SWARM_CHECK: a broken invariant ends the process, loudly, instead of growing an untestable branch.
#pragma once

namespace swarm {
[[noreturn]] void checkFailed(const char* condition, const char* file, int line);
}  // namespace swarm

#define SWARM_CHECK(condition)                                              \
  do {                                                                      \
    if (!(condition)) ::swarm::checkFailed(#condition, __FILE__, __LINE__); \
  } while (false)
