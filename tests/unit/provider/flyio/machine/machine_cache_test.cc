// What the cache remembers, and for how long.
#include "provider/flyio/machine/machine_cache.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace swarm::flyio {
namespace {

Machine cachedMachine(std::string_view id, std::string_view instance) {
  Machine machine = readMachine(boost::json::parse(R"({"state":"started","config":{"metadata":{}}})"), "a1");
  machine.id = id;
  machine.config["metadata"].as_object()["swarm_instance"] = instance;
  return machine;
}

class Cache : public ::testing::Test {
 protected:
  FlyIOProviderConfig config_;
  MachineCache cache_{config_};
};

TEST_F(Cache, findsAPlaceByInstanceAndByMachine) {
  cache_.remember(cachedMachine("m1", "i-1"));
  ASSERT_TRUE(cache_.find(PlaceId("i-1")));
  EXPECT_EQ(cache_.find(PlaceId("i-1"))->app, "a1");
  EXPECT_EQ(cache_.findByMachine("m1"), cache_.find(PlaceId("i-1")));
  cache_.forget(PlaceId("i-1"));
  EXPECT_FALSE(cache_.find(PlaceId("i-1")));
  EXPECT_FALSE(cache_.findByMachine("m1"));
}

TEST_F(Cache, ignoresMachinesThatAreGoneOrOfNoInstance) {
  Machine gone = cachedMachine("m1", "i-1");
  gone.state = MachineState::destroyed;
  cache_.remember(gone);
  cache_.remember(cachedMachine("m2", ""));
  EXPECT_TRUE(cache_.places().empty());
}

TEST_F(Cache, reportsTheFirstPlaceOnly) {
  int calls = 0;
  cache_.onFirst([&] { ++calls; });
  cache_.remember(cachedMachine("m1", "i-1"));
  cache_.remember(cachedMachine("m2", "i-2"));
  EXPECT_EQ(calls, 1);
  cache_.forget(PlaceId("i-1"));
  cache_.forget(PlaceId("i-2"));
  cache_.remember(cachedMachine("m1", "i-1"));
  EXPECT_EQ(calls, 2);
}

TEST_F(Cache, anAbsentInstanceIsPresentOnceItsMachineIsKnown) {
  cache_.noteAbsent(PlaceId("i-1"));
  EXPECT_TRUE(cache_.isAbsent(PlaceId("i-1")));
  cache_.remember(cachedMachine("m1", "i-1"));
  EXPECT_FALSE(cache_.isAbsent(PlaceId("i-1")));
}

TEST_F(Cache, aMachineIsNewUntilItWasRead) {
  cache_.noteCreated("m1");
  EXPECT_TRUE(cache_.wasJustCreated("m1", std::chrono::minutes(1)));
  EXPECT_FALSE(cache_.wasJustCreated("m1", std::chrono::milliseconds(0)));
  cache_.noteRead("m1");
  EXPECT_FALSE(cache_.wasJustCreated("m1", std::chrono::minutes(1)));
}

TEST_F(Cache, aDestroyedMachineIsRememberedUntilListsCaughtUp) {
  cache_.noteDestroyed("m1");
  SteadyTime later = std::chrono::steady_clock::now();
  EXPECT_TRUE(cache_.wasDestroyed("m1"));
  cache_.forgetDestroyedBefore(later - std::chrono::minutes(1));
  EXPECT_TRUE(cache_.wasDestroyed("m1"));
  cache_.forgetDestroyedBefore(later + std::chrono::minutes(1));
  EXPECT_FALSE(cache_.wasDestroyed("m1"));
}

}  // namespace
}  // namespace swarm::flyio
