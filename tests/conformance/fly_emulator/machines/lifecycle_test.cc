// Cases 42 to 55: stop, start, suspend, restart, signal, destroy. Cases that need a real process are in process_test.cc.
#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

/// The newest event of a type, or null.
json::value newestEvent(const json::value& machine, std::string_view type) {
  for (const json::value& event : machine.at("events").as_array()) {
    if (textAt(event, "/type") == type) return event;
  }
  return nullptr;
}

TEST_P(FlyRules, case042_aStopWithoutABodyStopsTheMachine) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse stopped = post(machine.path + "/stop");
  EXPECT_EQ(stopped.status, 200) << stopped;
  EXPECT_EQ(stopped.at("/ok"), "true");
  waitFor(machine, "stopped");
  const json::value shown = show(machine);
  EXPECT_EQ(textAt(shown, "/state"), "stopped");
  EXPECT_EQ(textAt(shown, "/instance_id"), machine.version);
  const json::value exit = newestEvent(shown, "exit");
  EXPECT_EQ(textAt(exit, "/status"), "stopped") << json::serialize(shown.at("events"));
  EXPECT_EQ(textAt(exit, "/source"), "flyd");
  EXPECT_EQ(textAt(exit, "/request/exit_event/requested_stop"), "true") << json::serialize(exit);
}

TEST_P(FlyRules, case043_aStopWithAListIsRefusedAndStopsNothing) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse response = post(machine.path + "/stop", "[]");
  EXPECT_EQ(response.status, 400);
  EXPECT_TRUE(response.error().contains("cannot unmarshal array")) << response;
  EXPECT_EQ(state(machine), "started");
}

TEST_P(FlyRules, case046_aStoppedMachineStartsAndSaysWhatItWas) {
  createApp();
  const FlyMachine machine = stopped();
  const FlyResponse response = post(machine.path + "/start");
  EXPECT_EQ(response.status, 200) << response;
  EXPECT_EQ(response.at("/previous_state"), "stopped");
  EXPECT_EQ(response.at("/migrated"), "false");
  waitFor(machine, "started");
}

TEST_P(FlyRules, case047_aStartRightAfterAStopIsRefusedWhileTheOldOneStillEnds) {
  options.times.stopSettle = std::chrono::hours(1);
  createApp();
  const FlyMachine machine = stopped();
  const FlyResponse early = post(machine.path + "/start");
  EXPECT_EQ(early.status, 412) << early;
  EXPECT_TRUE(early.error().contains("failed_precondition: machine still active, refusing to start")) << early;
  EXPECT_EQ(state(machine), "stopped");
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(post(machine.path + "/start").status, 200);
}

TEST_P(FlyRules, case048_aStartDuringAnUpdateIsRefused) {
  options.times.update = std::chrono::hours(1);
  createApp();
  const FlyMachine machine = started();
  const FlyResponse updated = post(machine.path, json::object{{"config", configWith("env", {{"A", "1"}})}});
  ASSERT_EQ(updated.status, 200) << updated;
  const FlyResponse response = post(machine.path + "/start");
  EXPECT_EQ(response.status, 412) << response;
  EXPECT_TRUE(response.error().contains("failed_precondition: machine getting replaced, refusing to start")) << response;
}

TEST_P(FlyRules, case051_aRestartKeepsTheVersion) {
  createApp();
  const FlyMachine machine = started();
  const int starts = countEvents(machine, "start", "started");
  const FlyResponse response = post(machine.path + "/restart?timeout=5s");
  EXPECT_EQ(response.status, 200) << response;
  EXPECT_EQ(response.at("/ok"), "true");
  eventually([&] { return countEvents(machine, "start", "started") > starts; }, "it has started again");
  waitFor(machine, "started");
  EXPECT_EQ(textAt(show(machine), "/instance_id"), machine.version);
}

TEST_P(FlyRules, case051_aRestartTakesSecondsAndFlyGosParameters) {
  createApp();
  const FlyMachine machine = started();
  const int starts = countEvents(machine, "start", "started");
  EXPECT_EQ(post(machine.path + "/restart?timeout=5&signal=SIGTERM&force_stop=true").status, 200);
  eventually([&] { return countEvents(machine, "start", "started") > starts; }, "it has started again");
}

TEST_P(FlyRules, case052_aSignalIsGivenByNameOrByNumber) {
  createApp();
  const FlyMachine machine = started();
  EXPECT_EQ(post(machine.path + "/signal", R"({"signal":"SIGFOO"})").status, 400);
  EXPECT_EQ(state(machine), "started");
  EXPECT_EQ(post(machine.path + "/signal", R"({"signal":"SIGUSR1"})").status, 200);
  const FlyMachine other = started();
  const FlyResponse number = post(other.path + "/signal", R"({"signal":9})");
  EXPECT_EQ(number.status, 200) << number;
}

TEST_P(FlyRules, case053_aStartedMachineIsNotDestroyedWithoutForce) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse response = remove(machine.path);
  EXPECT_EQ(response.status, 412) << response;
  EXPECT_TRUE(
      response.error().contains("failed_precondition: unable to destroy machine, not currently stopped, suspended, failed or created"))
      << response;
  EXPECT_EQ(state(machine), "started");
  stop(machine);
  EXPECT_EQ(remove(machine.path).status, 200);
  waitFor(machine, "destroyed");
}

void expectGone(const FlyResponse& shown) {
  EXPECT_TRUE(shown.status == 404 || (shown.status == 200 && shown.at("/state") == "destroyed")) << shown;
}

TEST_P(FlyRules, case054_forceDestroysAStartedMachineAndLetsGoOfItsVolume) {
  createApp();
  const std::string volume = "/v1/apps/a1/volumes/" + createVolume();
  const std::string id = volume.substr(volume.rfind('/') + 1);
  const FlyMachine machine = started(mounting(id));
  EXPECT_EQ(get(volume).at("/attached_machine_id"), machine.id);
  const FlyResponse response = remove(machine.path + "?force=true");
  EXPECT_EQ(response.status, 200) << response;
  EXPECT_EQ(response.at("/ok"), "true");
  waitFor(machine, "destroyed");
  expectGone(get(machine.path));
  eventually([&] { return get(volume).at("/attached_machine_id") == "null"; }, "the volume is free");
}

TEST_P(FlyRules, case054_aDestroyedMachineIsShownForAWhileAndThenNotFound) {
  options.times.destroyedVisible = std::chrono::seconds(60);
  createApp();
  const FlyMachine machine = started();
  ASSERT_EQ(remove(machine.path + "?force=true").status, 200);
  waitFor(machine, "destroyed");
  expectGone(get(machine.path));
  clock.advance(std::chrono::minutes(2));
  eventually([&] { return get(machine.path).status == 404; }, "it is not found any more");
}

TEST_P(FlyRules, case055_killIsForceByAnotherName) {
  createApp();
  const FlyMachine machine = started();
  EXPECT_EQ(remove(machine.path + "?kill=false").status, 412);
  const FlyResponse response = remove(machine.path + "?kill=true");
  EXPECT_EQ(response.status, 200) << response;
  EXPECT_EQ(response.at("/ok"), "true");
  waitFor(machine, "destroyed");
}

}  // namespace
}  // namespace swarm::testing
