// Whole moves from one Docker host to another, and from one of Fly's regions to another, with the way back to a kept source.
#include <boost/json/serialize.hpp>

#include "base/text/format.h"
#include "chaos/image/chaos_image.h"
#include "chaos/move/move_test.h"
#include "integration/docker/own_engine.h"

namespace swarm::test {
namespace {

class MoveWithinAProvider : public MoveTest {
 protected:
  std::string regionNow() { return std::string(instance().at("region").as_string()); }
};

TEST_F(MoveWithinAProvider, aRegionOfFlyIsLeftForAnotherAndEnteredAgain) {
  boot();
  makeWorkspace();
  must("migrate one flyio region=ams");
  must("migrate one flyio region=fra keep");
  EXPECT_EQ(regionNow(), "fra");
  expectIntact("flyio", heldFor(0, 2));
  run("tee /home/coder/work/later");
  expected_ = listing();
  must("migrate one back");
  EXPECT_EQ(regionNow(), "ams");
  expectIntact("flyio", heldFor(0, 1));
  must("migrate one flyio region=fra");
  EXPECT_EQ(regionNow(), "fra");
  expectIntact("flyio", heldFor(0, 1));
}

TEST_F(MoveWithinAProvider, aDockerHostIsLeftForAnotherAndEnteredAgain) {
  if (!testing::OwnEngine::possible()) GTEST_SKIP() << "needs root and dockerd, to start an Engine";
  testing::OwnEngine second(testing::OwnEngine::Options{.tmpfsMib = 256, .arguments = {}});
  ASSERT_TRUE(second.waitForSocket()) << second.log();
  testing::TestEngine there(runner_, second.config());
  ASSERT_EQ(testing::ensureChaosImage(there), settings_.image);
  std::vector<std::string> both{"CHAOS_SECOND_ENGINE=" + second.socket().string()};
  boot(both);
  makeWorkspace();
  auto places = [&] { return std::pair(engine_.leftovers(settings_.swarmId).size(), there.leftovers(settings_.swarmId).size()); };
  constexpr std::size_t kOne = 3;  // container, volume, network

  must("migrate one region=box2");
  EXPECT_EQ(regionNow(), "box2");
  expectIntact("docker", heldFor(0, 0));
  EXPECT_EQ(places(), std::pair(0UL, kOne));
  must("migrate one region=local keep");
  expectIntact("docker", heldFor(1, 0));
  EXPECT_EQ(places(), std::pair(kOne, kOne));
  run("tee /home/coder/work/later");
  expected_ = listing();
  must("migrate one back");
  EXPECT_EQ(regionNow(), "box2");
  expectIntact("docker", heldFor(0, 0));
  EXPECT_EQ(places(), std::pair(0UL, kOne));

  // Its Engine restarts in the middle: containers end with it.
  server_->end();
  auto environment = both;
  environment.push_back("SWARM_FAULT=controller.migrate.held=stop");
  boot(environment);
  ASSERT_TRUE(server_->send("migrate one region=local"));
  ASSERT_TRUE(server_->waitUntilStopped());
  second.kill();
  second.start();
  ASSERT_TRUE(second.waitForSocket());
  server_->letGoOn();
  auto response = server_->awaitResponse();
  ASSERT_TRUE(response) << log();
  bool moved = response->at("status").as_string() == "succeeded";
  std::printf("  the source's Engine restarted while it was held: %s\n", moved ? "moved" : "stayed");
  expectIntact("docker", moved ? heldFor(1, 0) : heldFor(0, 0));
  EXPECT_EQ(places(), moved ? std::pair(kOne, 0UL) : std::pair(0UL, kOne));
  must("purge one");
  EXPECT_EQ(places(), std::pair(0UL, 0UL));
  server_.reset();
}

}  // namespace
}  // namespace swarm::test
