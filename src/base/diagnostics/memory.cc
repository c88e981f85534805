// configureHeap() and its companions, over glibc's malloc.
#include "base/diagnostics/memory.h"

#include <malloc.h>

namespace swarm {
namespace {

constexpr int kArenas = 2;
// With an explicit value, glibc no longer raises the threshold as blocks are freed, which would keep later blocks of that size in the heap.
constexpr int kOwnMappingBytes = 256 * 1024;

}  // namespace

void configureHeap() {
  ::mallopt(M_ARENA_MAX, kArenas);
  ::mallopt(M_MMAP_THRESHOLD, kOwnMappingBytes);
}

void releaseFreeMemory() { ::malloc_trim(0); }

}  // namespace swarm
