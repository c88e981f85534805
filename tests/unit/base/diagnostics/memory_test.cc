// Free memory is returned to the system, whichever thread used it.
#include "base/diagnostics/memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "support/memory_use.h"

namespace swarm {
namespace {

// The sanitizers have their own allocators.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

constexpr std::size_t kBlock = 1024;
constexpr std::size_t kTotal = 64U << 20U;
constexpr std::size_t kSlack = 16U << 20U;

/// Fills and frees much memory in small blocks, except for the last one, which prevents the heap from shrinking at its end.
std::unique_ptr<char[]> useMuch(std::size_t& at_most) {
  std::vector<std::unique_ptr<char[]>> blocks;
  for (std::size_t i = 0; i < kTotal / kBlock; ++i) {
    blocks.push_back(std::make_unique<char[]>(kBlock));
    blocks.back()[0] = 'x';
  }
  at_most = test::residentBytes();
  auto last = std::move(blocks.back());
  return last;
}

TEST(Heap, givesBackWhatIsFree) {
  const std::size_t before = test::residentBytes();
  std::size_t most = 0;
  std::unique_ptr<char[]> mine = useMuch(most);
  std::unique_ptr<char[]> others;
  std::thread([&] { others = useMuch(most); }).join();
  EXPECT_GT(most, before + kTotal / 2);
  releaseFreeMemory();
  EXPECT_LT(test::residentBytes(), before + kSlack);
}

#endif

}  // namespace
}  // namespace swarm
