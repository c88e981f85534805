// §4: the transient states, observed while they last; here they last an hour, so that tests need not be fast.
#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

constexpr std::chrono::hours kLong(1);

TEST_P(FlyRules, aStopIsSeenOnItsWay) {
  options.times.stop = kLong;
  createApp();
  const FlyMachine machine = started();
  ASSERT_EQ(post(machine.path + "/stop").status, 200);
  EXPECT_EQ(state(machine), "stopping");
  const FlyResponse waited = get(machine.path + "/wait?state=stopped&timeout=1");
  EXPECT_EQ(waited.status, 408) << waited;
  EXPECT_TRUE(waited.error().contains("machine failed to reach desired state, stopped, currently stopping")) << waited;
  const FlyResponse early = post(machine.path + "/start");
  EXPECT_EQ(early.status, 412) << early;
  EXPECT_TRUE(early.error().starts_with("failed_precondition: ")) << early;
  EXPECT_EQ(remove(machine.path).status, 412);
  EXPECT_EQ(post(machine.path + "/exec", R"({"command":["echo","hi"]})").status, 412);
  EXPECT_EQ(remove(machine.path + "?force=true").status, 200) << "force does not wait";
  waitFor(machine, "destroyed");
}

TEST_P(FlyRules, aSuspendIsSeenOnItsWay) {
  options.times.suspend = kLong;
  createApp();
  const FlyMachine machine = started();
  ASSERT_EQ(post(machine.path + "/suspend").status, 200);
  EXPECT_EQ(state(machine), "suspending");
}

TEST_P(FlyRules, aLaunchIsSeenOnItsWay) {
  options.times.launch = kLong;
  createApp();
  const FlyMachine machine = create(machineRequest());
  EXPECT_EQ(state(machine), "created");
  EXPECT_EQ(remove(machine.path + "?force=true").status, 200);
  waitFor(machine, "destroyed");
}

TEST_P(FlyRules, aStartIsSeenOnItsWay) {
  options.times.start = kLong;
  createApp();
  const FlyMachine machine = create(machineRequest());
  eventually([&] { return state(machine) == "starting"; }, "it is starting");
  EXPECT_EQ(post(machine.path + "/exec", R"({"command":["echo","hi"]})").status, 412);
}

TEST_P(FlyRules, anUpdateIsSeenOnItsWay) {
  options.times.update = kLong;
  createApp();
  const FlyMachine machine = started();
  const FlyResponse updated = post(machine.path, json::object{{"config", configWith("env", {{"A", "1"}})}});
  ASSERT_EQ(updated.status, 200) << updated;
  const std::string now = state(machine);
  EXPECT_TRUE(now == "replacing" || now == "updating") << now;
  EXPECT_EQ(get(machine.path + "/wait?state=started&timeout=1&version=" + updated.at("/instance_id")).status, 408);
}

TEST_P(FlyRules, aDestroyIsSeenOnItsWay) {
  options.times.destroy = kLong;
  createApp();
  const std::string volume = createVolume();
  const FlyMachine machine = started(mounting(volume));
  ASSERT_EQ(remove(machine.path + "?force=true").status, 200);
  EXPECT_EQ(state(machine), "destroying");
  EXPECT_EQ(get("/v1/apps/a1/volumes/" + volume).at("/attached_machine_id"), machine.id);
  EXPECT_EQ(remove("/v1/apps/a1/volumes/" + volume).status, 412);
  EXPECT_GE(post(machine.path + "/start").status, 400);
}

TEST_P(FlyRules, aForkIsVisibleWhileItIsCopiedAndCanBeMounted) {
  options.times.volumeHydrate = kLong;
  createApp();
  const std::string source = createVolume();
  const FlyResponse fork =
      post("/v1/apps/a1/volumes", json::object{{"name", "data"}, {"region", "ams"}, {"size_gb", 1}, {"source_volume_id", source}});
  ASSERT_EQ(fork.status, 200) << fork;
  eventually([&] { return get("/v1/apps/a1/volumes/" + fork.at("/id")).at("/state") == "hydrating"; }, "it is hydrating (§7)");
  started(mounting(fork.at("/id")));
}

}  // namespace
}  // namespace swarm::testing
