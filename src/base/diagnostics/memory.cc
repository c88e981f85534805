// configureHeap() and its companions, over glibc's malloc.
#include "base/diagnostics/memory.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>

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

std::size_t residentBytes() {
  std::ifstream in("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  in >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace swarm
