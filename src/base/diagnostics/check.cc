// What a broken invariant prints before it ends the process.
#include "base/diagnostics/check.h"

#include <cstdio>
#include <cstdlib>

namespace swarm {

void checkFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "swarm: broken invariant: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace swarm
