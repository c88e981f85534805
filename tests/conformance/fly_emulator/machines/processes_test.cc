// Cases about the processes of a Machine: 44, 49, 56 to 58, 80 to 88, 94 and 95. For every backend.
#include <boost/json/serialize.hpp>
#include <set>

#include "base/text/format.h"
#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

json::array shell(const std::string& script) { return {"sh", "-c", script}; }

/// The exit events, newest first.
std::vector<json::value> exits(const FlyResponse& events) {
  std::vector<json::value> found;
  for (const json::value& event : events.body.as_array()) {
    if (textAt(event, "/type") == "exit") found.push_back(event);
  }
  return found;
}

/// Fly's own clients send a response's image_ref back.
TEST_P(FlyProcesses, theImageOfAnAnswerCanBeSentBack) {
  createApp();
  const json::value shown = show(started());
  const std::string image = textAt(shown, "/image_ref/registry") + "/" + textAt(shown, "/image_ref/repository") + ":" +
                            textAt(shown, "/image_ref/tag") + "@" + textAt(shown, "/image_ref/digest");
  started(machineRequest(configWith("image", json::value(image))));
}

TEST_P(FlyProcesses, case044_aProcessThatIgnoresTheSignalIsKilledAfterTheTimeout) {
  createApp();
  // Ready means that the trap is set.
  const FlyMachine machine =
      started(machineRequest(configWith("init", {{"exec", shell("trap '' TERM; echo ready > /tmp/ready; sleep 3600")}})));
  eventually([&] { return runInside(machine, "cat /tmp/ready").at("/stdout") == "ready\n"; }, "the process ignores the signal");
  const SteadyTime before = clock.steadyNow();
  ASSERT_EQ(post(machine.path + "/stop", R"({"signal":"SIGTERM","timeout":"2s"})").status, 200);
  waitFor(machine, "stopped");
  EXPECT_GE(clock.steadyNow() - before, std::chrono::seconds(2));
  const auto ended = exits(get(machine.path + "/events"));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(textAt(ended[0], "/request/exit_event/exit_code"), "137") << json::serialize(ended[0]);
  EXPECT_EQ(textAt(ended[0], "/request/exit_event/requested_stop"), "true");
}

TEST_P(FlyProcesses, case049_aSuspendedMachineGoesOnWhereItWas) {
  createApp();
  const FlyMachine machine = started(machineRequest(configWith("init", {{"exec", shell("echo boot >> /tmp/boots; sleep 3600")}})));
  ASSERT_EQ(runInside(machine, "echo kept > /tmp/kept").at("/exit_code"), "0");
  eventually([&] { return runInside(machine, "cat /tmp/boots").at("/stdout") == "boot\n"; }, "the process has begun");
  const FlyResponse suspended = post(machine.path + "/suspend");
  EXPECT_EQ(suspended.status, 200) << suspended;
  EXPECT_EQ(suspended.at("/ok"), "true");
  waitFor(machine, "suspended");
  EXPECT_EQ(state(machine), "suspended");
  const FlyResponse resumed = post(machine.path + "/start");
  EXPECT_EQ(resumed.status, 200) << resumed;
  EXPECT_EQ(resumed.at("/previous_state"), "suspended");
  waitFor(machine, "started");
  EXPECT_EQ(runInside(machine, "cat /tmp/kept").at("/stdout"), "kept\n") << "the root file system is not reset";
  EXPECT_EQ(runInside(machine, "cat /tmp/boots").at("/stdout"), "boot\n") << "the process was not started again";
}

json::object ending(json::object config, const std::string& script, json::object restart) {
  config["init"] = json::object{{"exec", shell(script)}};
  config["restart"] = std::move(restart);
  return config;
}

TEST_P(FlyProcesses, case056_withoutARestartPolicyAProcessThatEndsStopsTheMachine) {
  createApp();
  const FlyMachine machine = create(machineRequest(ending(config(), "exit 0", {{"policy", "no"}})));
  eventually([&] { return state(machine) == "stopped"; }, "it is stopped");
  const auto ended = exits(get(machine.path + "/events"));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(textAt(ended[0], "/request/exit_event/exit_code"), "0") << json::serialize(ended[0]);
  EXPECT_EQ(textAt(ended[0], "/request/exit_event/requested_stop"), "false");
}

TEST_P(FlyProcesses, case056_withAlwaysItIsRestartedWhateverItsEnd) {
  createApp();
  const FlyMachine machine = create(machineRequest(ending(config(), "exit 0", {{"policy", "always"}})));
  eventually([&] { return exits(get(machine.path + "/events?limit=50")).size() >= 3; }, "it was restarted twice");
}

TEST_P(FlyProcesses, case056_withOnFailureItIsRestartedSoOftenAndThenStopped) {
  createApp();
  const FlyMachine fails = create(machineRequest(ending(config(), "exit 1", {{"policy", "on-failure"}, {"max_retries", 2}})));
  eventually([&] { return exits(get(fails.path + "/events?limit=50")).size() >= 3 && state(fails) == "stopped"; }, "it gives up");
  const auto ended = exits(get(fails.path + "/events?limit=50"));
  EXPECT_EQ(ended.size(), 3u) << "the first run and two retries";
  EXPECT_EQ(textAt(ended[0], "/request/exit_event/exit_code"), "1") << json::serialize(ended[0]);
  const FlyMachine succeeds = create(machineRequest(ending(config(), "exit 0", {{"policy", "on-failure"}, {"max_retries", 2}})));
  eventually([&] { return state(succeeds) == "stopped"; }, "it is stopped");
  EXPECT_EQ(exits(get(succeeds.path + "/events?limit=50")).size(), 1u) << "a success is not a failure";
}

TEST_P(FlyProcesses, case057_aMachineThatDestroysItselfIsGoneWhenItsProcessEnds) {
  createApp();
  json::object config = ending(this->config(), "exit 0", {{"policy", "no"}});
  config["auto_destroy"] = true;
  const FlyMachine machine = create(machineRequest(config));
  eventually(
      [&] {
        const FlyResponse shown = get(machine.path);
        return shown.status == 404 || shown.at("/state") == "destroyed";
      },
      "it is destroyed");
  EXPECT_EQ(get("/v1/apps/a1/machines").text.find(machine.id), std::string::npos);
}

TEST_P(FlyProcesses, case058_aStopLosesWhatIsOutsideOfTheVolume) {
  createApp();
  json::object request = mounting(createVolume());
  request.at("config").as_object()["metadata"] = json::object{{"k", "v"}};
  const FlyMachine machine = started(request);
  ASSERT_EQ(runInside(machine, "echo in > /data/file && echo out > /tmp/file").at("/exit_code"), "0");
  stop(machine);
  ASSERT_EQ(post(machine.path + "/start").status, 200);
  waitFor(machine, "started");
  EXPECT_EQ(runInside(machine, "cat /data/file").at("/stdout"), "in\n");
  EXPECT_NE(runInside(machine, "cat /tmp/file").at("/exit_code"), "0");
  EXPECT_EQ(textAt(show(machine), "/instance_id"), machine.version);
  EXPECT_EQ(get(machine.path + "/metadata").at("/k"), "v");
}

TEST_P(FlyProcesses, case080_execReturnsExitCodeAndBothOutputs) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse response = post(machine.path + "/exec", R"({"command":["sh","-c","echo hi; echo e >&2; exit 3"]})");
  EXPECT_EQ(response.status, 200) << response;
  EXPECT_EQ(response.at("/exit_code"), "3");
  EXPECT_EQ(response.at("/stdout"), "hi\n");
  EXPECT_EQ(response.at("/stderr"), "e\n");
}

TEST_P(FlyProcesses, case081_execTakesOneStringThatIsSplitByTheServer) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse response = post(machine.path + "/exec", R"({"cmd":"echo hi"})");
  EXPECT_EQ(response.status, 200) << response;
  EXPECT_EQ(response.at("/exit_code"), "0");
  EXPECT_EQ(response.at("/stdout"), "hi\n");
}

// The field is documented; passing it to the command is this emulator's choice.
TEST_P(FlyProcesses, case082_execTakesStandardInput) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse response = post(machine.path + "/exec", R"({"command":["cat"],"stdin":"abc"})");
  EXPECT_EQ(response.status, 200) << response;
  EXPECT_EQ(response.at("/exit_code"), "0");
  EXPECT_EQ(response.at("/stdout"), "abc");
}

TEST_P(FlyProcesses, case083_execLastsAMinuteAtMost) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse response = post(machine.path + "/exec", R"({"command":["echo","hi"],"timeout":61})");
  EXPECT_EQ(response.status, 400) << response;
  EXPECT_TRUE(response.error().contains("timeout must not exceed 60 seconds")) << response;
  EXPECT_EQ(post(machine.path + "/exec", R"({"command":["echo","hi"],"timeout":60})").status, 200);
}

TEST_P(FlyProcesses, case084_aCommandThatTakesLongerThanItsTimeoutIsGivenUp) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse response = post(machine.path + "/exec", R"({"command":["sleep","5"],"timeout":1})");
  EXPECT_EQ(response.status, 408) << response;
  EXPECT_TRUE(response.error().contains("deadline_exceeded")) << response;
}

TEST_P(FlyProcesses, case085_execRequiresARunningMachine) {
  createApp();
  const FlyMachine machine = stopped();
  const FlyResponse response = post(machine.path + "/exec", R"({"command":["echo","hi"]})");
  EXPECT_EQ(response.status, 412) << response;
  EXPECT_TRUE(response.error().contains("machine not running")) << response;
}

TEST_P(FlyProcesses, case086_aBodyAboveSixteenKibibytesIsRejectedSilently) {
  createApp();
  const FlyMachine machine = started();
  const auto run = [&](std::size_t bytes) {
    json::object body{{"command", shell("echo ran > /tmp/ran")}, {"timeout", 20}, {"stdin", ""}};
    body["stdin"] = std::string(bytes - json::serialize(body).size(), 'x');
    return post(machine.path + "/exec", body);
  };
  const FlyResponse rejected = run(23'700);
  EXPECT_EQ(rejected.status, 200) << rejected;
  EXPECT_EQ(rejected.at("/exit_code"), "0");
  EXPECT_TRUE(rejected.text.contains("Rejection([PayloadTooLarge")) << rejected;
  EXPECT_NE(runInside(machine, "cat /tmp/ran").at("/exit_code"), "0") << "the command was not run";
  const FlyResponse taken = run(15'800);
  EXPECT_EQ(taken.status, 200) << taken;
  EXPECT_FALSE(taken.text.contains("Rejection(["));
  EXPECT_EQ(runInside(machine, "cat /tmp/ran").at("/stdout"), "ran\n");
}

TEST_P(FlyProcesses, case087_execIsForTheMachineOrForOneContainer) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse response = post(machine.path + "/exec", R"({"command":["echo","hi"],"machine":true,"container":"x"})");
  EXPECT_GE(response.status, 400) << response;
  EXPECT_LT(response.status, 500) << response;
}

TEST_P(FlyProcesses, case088_execRunsAsRootInTheMachinesEnvironment) {
  createApp();
  const FlyMachine machine = started(machineRequest(configWith("env", {{"COLOUR", "blue"}})));
  EXPECT_EQ(post(machine.path + "/exec", R"({"command":["id","-u"]})").at("/stdout"), "0\n");
  EXPECT_EQ(post(machine.path + "/exec", R"({"command":["pwd"]})").at("/stdout"), "/\n");
  const std::string environment = "\n" + post(machine.path + "/exec", R"({"command":["env"]})").at("/stdout");
  EXPECT_TRUE(environment.contains("\nFLY_MACHINE_ID=" + machine.id + "\n")) << environment;
  EXPECT_TRUE(environment.contains("\nFLY_APP_NAME=a1\n")) << environment;
  EXPECT_TRUE(environment.contains("\nFLY_REGION=ams\n")) << environment;
  EXPECT_TRUE(environment.contains("\nCOLOUR=blue\n")) << environment;
}

TEST_P(FlyProcesses, case094_aForkIsACopyThatGoesItsOwnWay) {
  options.times.volumeHydrate = std::chrono::milliseconds(300);
  createApp();
  const std::string source = createVolume();
  const FlyMachine first = started(mounting(source));
  ASSERT_EQ(runInside(first, "echo one > /data/file").at("/exit_code"), "0");
  const FlyResponse fork =
      post("/v1/apps/a1/volumes", json::object{{"name", "data"}, {"region", "ams"}, {"size_gb", 1}, {"source_volume_id", source}});
  EXPECT_EQ(fork.status, 200) << fork;
  EXPECT_NE(fork.at("/id"), source);
  const std::set<std::string> under_way = {"creating", "enabling_remote_export", "hydrating"};
  EXPECT_TRUE(under_way.contains(fork.at("/state"))) << fork;
  ASSERT_EQ(runInside(first, "echo two > /data/file").at("/exit_code"), "0");
  eventually([&] { return get("/v1/apps/a1/volumes/" + fork.at("/id")).at("/state") == "created"; }, "the fork is complete");
  const FlyMachine second = started(mounting(fork.at("/id")));
  EXPECT_EQ(runInside(second, "cat /data/file").at("/stdout"), "one\n") << "the source's content at the fork";
  ASSERT_EQ(runInside(second, "echo three > /data/file").at("/exit_code"), "0");
  EXPECT_EQ(runInside(first, "cat /data/file").at("/stdout"), "two\n");
}

TEST_P(FlyProcesses, case095_aSnapshotGivesWhatWasThereWhenItWasTaken) {
  createApp();
  const std::string source = createVolume(R"({"name":"data","region":"ams","size_gb":2})");
  const FlyMachine first = started(mounting(source));
  ASSERT_EQ(runInside(first, "echo one > /data/file").at("/exit_code"), "0");
  const std::string snapshots = "/v1/apps/a1/volumes/" + source + "/snapshots";
  ASSERT_EQ(post(snapshots).status, 200);
  eventually([&] { return get(snapshots).at("/0/status") == "created"; }, "the snapshot is complete");
  ASSERT_EQ(runInside(first, "echo two > /data/file").at("/exit_code"), "0");
  const auto restore = [&](int size) {
    return post("/v1/apps/a1/volumes",
                json::object{{"name", "data"}, {"region", "ams"}, {"size_gb", size}, {"snapshot_id", get(snapshots).at("/0/id")}});
  };
  const FlyResponse too_small = restore(1);
  EXPECT_GE(too_small.status, 400) << too_small;
  EXPECT_LT(too_small.status, 500) << too_small;
  const FlyResponse restored = restore(2);
  ASSERT_EQ(restored.status, 200) << restored;
  eventually([&] { return get("/v1/apps/a1/volumes/" + restored.at("/id")).at("/state") == "created"; }, "the volume is restored");
  const FlyMachine second = started(mounting(restored.at("/id")));
  EXPECT_EQ(runInside(second, "cat /data/file").at("/stdout"), "one\n");
  EXPECT_EQ(runInside(first, "cat /data/file").at("/stdout"), "two\n");
}

// §3: fly-go's kill.
TEST_P(FlyProcesses, aSignalByNumberReachesTheProcess) {
  createApp();
  const FlyMachine machine = started(machineRequest(configWith("restart", {{"policy", "no"}})));
  ASSERT_EQ(post(machine.path + "/signal", R"({"signal":9})").status, 200);
  eventually([&] { return state(machine) == "stopped"; }, "it was killed");
  const auto ended = exits(get(machine.path + "/events"));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(textAt(ended[0], "/request/exit_event/exit_code"), "137") << json::serialize(ended[0]);
  EXPECT_EQ(textAt(ended[0], "/request/exit_event/requested_stop"), "false");
}

// §3: fly-go sends "0s" for the default.
TEST_P(FlyProcesses, aStopOfFlysOwnClientGivesTheProcessItsTime) {
  createApp();
  const std::string script = "trap 'exit 7' INT; echo ready > /tmp/ready; sleep 3600 & wait";
  const FlyMachine machine = started(machineRequest(configWith("init", {{"exec", shell(script)}})));
  eventually([&] { return runInside(machine, "cat /tmp/ready").at("/stdout") == "ready\n"; }, "the trap is set");
  ASSERT_EQ(post(machine.path + "/stop", json::object{{"id", machine.id}, {"timeout", "0s"}}).status, 200);
  waitFor(machine, "stopped");
  const auto ended = exits(get(machine.path + "/events"));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(textAt(ended[0], "/request/exit_event/exit_code"), "7") << json::serialize(ended[0]);
}

// §4
TEST_P(FlyProcesses, aStopOfASuspendedMachineGivesItsMemoryUp) {
  createApp();
  const FlyMachine machine = started();
  ASSERT_EQ(runInside(machine, "echo kept > /tmp/kept").at("/exit_code"), "0");
  ASSERT_EQ(post(machine.path + "/suspend").status, 200);
  waitFor(machine, "suspended");
  stop(machine);
  const FlyResponse response = post(machine.path + "/start");
  EXPECT_EQ(response.status, 200) << response;
  EXPECT_EQ(response.at("/previous_state"), "stopped");
  waitFor(machine, "started");
  EXPECT_NE(runInside(machine, "cat /tmp/kept").at("/exit_code"), "0") << "a cold boot";
}

TEST_P(FlyProcesses, filesComeFromTheConfigurationAndFromSecrets) {
  createApp();
  ASSERT_EQ(post("/v1/apps/a1/secrets", R"({"values":{"KEY":"ZnJvbSBhIHNlY3JldAo="}})").status, 200);
  const json::array files{{{"guest_path", "/etc/plain"}, {"raw_value", "cGxhaW4K"}},
                          {{"guest_path", "/etc/hidden"}, {"secret_name", "KEY"}, {"mode", 256}}};
  const FlyMachine machine = started(machineRequest(configWith("files", files)));
  EXPECT_EQ(runInside(machine, "cat /etc/plain").at("/stdout"), "plain\n");
  EXPECT_EQ(runInside(machine, "cat /etc/hidden").at("/stdout"), "from a secret\n");
  EXPECT_FALSE(get(machine.path).text.contains("ZnJvbSBhIHNlY3JldAo="));
}

TEST_P(FlyProcesses, secretsAreInTheEnvironmentFromTheNextLaunchOn) {
  createApp();
  const FlyMachine machine = started();
  ASSERT_EQ(post("/v1/apps/a1/secrets", R"({"values":{"KEY":"value1"}})").status, 200);
  const auto environment = [&] { return "\n" + post(machine.path + "/exec", R"({"command":["env"]})").at("/stdout"); };
  EXPECT_FALSE(environment().contains("\nKEY=")) << "not while it runs";
  stop(machine);
  ASSERT_EQ(post(machine.path + "/start").status, 200);
  waitFor(machine, "started");
  EXPECT_TRUE(environment().contains("\nKEY=value1\n")) << environment();
}

TEST_P(FlyProcesses, anUpdateRunsTheNewConfigurationOnTheSameVolume) {
  createApp();
  const json::object request = mounting(createVolume());
  const FlyMachine machine = started(request);
  ASSERT_EQ(runInside(machine, "echo kept > /data/file").at("/exit_code"), "0");
  json::object config = request.at("config").as_object();
  config["env"] = json::object{{"COLOUR", "green"}};
  const FlyResponse updated = post(machine.path, json::object{{"config", config}});
  ASSERT_EQ(updated.status, 200) << updated;
  waitFor({machine.id, updated.at("/instance_id"), machine.path}, "started");
  EXPECT_EQ(runInside(machine, "cat /data/file").at("/stdout"), "kept\n");
  EXPECT_TRUE(post(machine.path + "/exec", R"({"command":["env"]})").at("/stdout").contains("COLOUR=green\n"));
}

}  // namespace
}  // namespace swarm::testing
