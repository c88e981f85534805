// Whole moves of trees that are large in both ways, by ends with 64 MiB of memory each.
#include "chaos/move/move_test.h"

namespace swarm::test {
namespace {

class LargeTree : public MoveTest {};

TEST_F(LargeTree, aHundredThousandFilesAndOneOfTwoGigabytesArrive) {
  boot();
  judge_ = "tree sum /home/coder";
  makeWorkspace("tree fill /home/coder/work 100000 300");
  run("tree big /home/coder/work/two 2048");
  expected_ = listing();
  ASSERT_TRUE(expected_.starts_with("1010")) << expected_;
  must("migrate one flyio region=ams");
  expectIntact("flyio", heldFor(0, 1));
}

}  // namespace
}  // namespace swarm::test
