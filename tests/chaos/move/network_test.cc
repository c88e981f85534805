// Whole moves over a bad network between the server and the agents, and under a writer that never rests.
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "base/format.h"
#include "chaos/move/move_test.h"

namespace swarm::test {
namespace {

class BadNetwork : public MoveTest {
 protected:
  /// 2,000 files, 50 MB; there and back over connections that `trouble` tells.
  void moveWith(const std::string& trouble) {
    boot();
    makeWorkspace("tree fill /home/coder/work 2000 25000");
    server_->end();
    boot({"CHAOS_TROUBLE=" + trouble});
    for (const char* line : {"migrate one flyio region=ams", "migrate one docker"}) {
      must(line);
      bool at_fly = providerNow() == "flyio";
      expectIntact(at_fly ? "flyio" : "docker", at_fly ? heldFor(0, 1) : heldFor(1, 0));
      if (HasFatalFailure()) return;
    }
  }
};

TEST_F(BadNetwork, cutsAtAnyTimeLoseNothing) { moveWith("cuts:1"); }
TEST_F(BadNetwork, connectionsThatStandStillLoseNothing) { moveWith("stalls:1"); }
TEST_F(BadNetwork, littleAtOnceAndLateLosesNothing) { moveWith("crawl:1"); }
TEST_F(BadNetwork, requestsThatComeTwiceAndLateLoseNothing) { moveWith("repeats"); }

class RestlessWriter : public MoveTest {};

/// What the writer had done when it was held is at the target, in the order in which it was done.
TEST_F(RestlessWriter, findsAtTheTargetWhatOneMomentOfTheSourceHad) {
  boot();
  makeWorkspace("tree fill /home/coder/work 200 25000");
  for (const char* line : {"migrate one flyio region=ams limit=8000000", "migrate one docker limit=8000000"}) {
    std::string folder = std::string("/home/coder/w") + (providerNow() == "docker" ? "1" : "2");
    run("begin writer " + folder);
    ASSERT_TRUE(eventually([&] { return run("tree judge " + folder).starts_with("right"); }));
    must(line);
    std::string judged = run("tree judge " + folder);
    EXPECT_TRUE(judged.starts_with("right")) << judged;
    long steps = std::stol("0" + judged.substr(std::min(judged.size(), std::string("right: ").size())));
    EXPECT_GT(steps, 100);
    std::printf("  the writer was held after %ld steps\n", steps);
    EXPECT_EQ(run("tree judge " + folder), judged) << "it writes on";
  }
}

}  // namespace
}  // namespace swarm::test
