// Cases 67 to 70: wait.
#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

TEST_P(FlyRules, case067_aWaitLastsFromOneSecondToAMinute) {
  createApp();
  const FlyMachine machine = started();
  for (const char* timeout : {"61", "0"}) {
    const FlyResponse response = get(machine.path + "/wait?state=started&timeout=" + timeout);
    EXPECT_EQ(response.status, 400) << response;
    EXPECT_TRUE(response.error().contains("invalid WaitMachineRequest.Timeout: value must be inside range [1s, 1m0s]")) << response;
  }
  EXPECT_EQ(get(machine.path + "/wait?state=started&timeout=60").status, 200);
}

TEST_P(FlyRules, case068_severalStatesAreWaitedForAtOnce) {
  createApp();
  const FlyMachine machine = started();
  for (const char* states : {"state=started,stopped", "state=stopped&state=started", "state=stopped,failed&state=started"}) {
    const FlyResponse response = get(machine.path + "/wait?timeout=5&" + states);
    EXPECT_EQ(response.status, 200) << states << ": " << response;
    EXPECT_EQ(response.at("/state"), "started");
  }
  EXPECT_GE(get(machine.path + "/wait?state=bogus&timeout=1").status, 400);
}

TEST_P(FlyRules, case069_withoutAStateAWaitIsForStarted) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse response = get(machine.path + "/wait?timeout=5");
  EXPECT_EQ(response.status, 200) << response;
  EXPECT_EQ(response.at("/ok"), "true");
  EXPECT_EQ(response.at("/state"), "started");
  EXPECT_EQ(response.at("/version"), machine.version);
  stop(machine);
  const FlyResponse in_vain = get(machine.path + "/wait?timeout=1");
  EXPECT_EQ(in_vain.status, 408) << in_vain;
  EXPECT_TRUE(in_vain.error().contains("started, currently stopped")) << in_vain;
}

TEST_P(FlyRules, case070_settledIsReachedWhenNothingIsOnItsWay) {
  options.times.start = std::chrono::milliseconds(700);
  createApp();
  const FlyMachine machine = create(machineRequest());
  eventually([&] { return state(machine) != "created"; }, "it is starting");
  const FlyResponse response = get(machine.path + "/wait?state=settled&timeout=30");
  EXPECT_EQ(response.status, 200) << response;
  EXPECT_EQ(response.at("/state"), "started");
  EXPECT_EQ(state(machine), "started");
}

}  // namespace
}  // namespace swarm::testing
