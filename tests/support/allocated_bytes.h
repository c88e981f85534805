// What this process has allocated and not freed, for tests of memory that must be given back.
#pragma once

#if __has_feature(address_sanitizer)
#include <sanitizer/allocator_interface.h>
#else
#include <malloc.h>
#endif

#include <cstddef>

namespace swarm::test {

inline std::size_t allocatedBytes() {
#if __has_feature(address_sanitizer)
  return __sanitizer_get_current_allocated_bytes();
#else
  const auto all = mallinfo2();
  return all.uordblks + all.hblkhd;
#endif
}

}  // namespace swarm::test
