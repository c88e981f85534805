// Concurrent calls: names and volumes are assigned once, and a wait sees the effect of another call.
#include <boost/json/serialize.hpp>

#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

std::vector<FlyResponse> withStatus(const std::vector<FlyResponse>& responses, int status) {
  std::vector<FlyResponse> found;
  for (const FlyResponse& response : responses) {
    if (response.status == status) found.push_back(response);
  }
  return found;
}

TEST_P(FlyRules, ofManyCreatesWithOneNameOneSucceeds) {
  createApp();
  json::object request = machineRequest();
  request["name"] = "w1";
  const auto responses = sendAtOnce(std::vector<FlyRequest>(8, {"POST", kMachines, json::serialize(request)}));
  const auto made = withStatus(responses, 200), refused = withStatus(responses, 409);
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(refused.size(), 7u);
  for (const FlyResponse& response : refused)
    EXPECT_TRUE(response.error().contains("machine ID " + made[0].at("/id") + " already exists")) << response;
  EXPECT_EQ(get(kMachines).body.as_array().size(), 1u);
}

TEST_P(FlyRules, ofManyCreatesOnOneVolumeOneSucceeds) {
  createApp();
  const std::string volume = createVolume();
  const auto responses = sendAtOnce(std::vector<FlyRequest>(8, {"POST", kMachines, json::serialize(mounting(volume))}));
  const auto made = withStatus(responses, 200);
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(withStatus(responses, 412).size(), 7u);
  EXPECT_EQ(get("/v1/apps/a1/volumes/" + volume).at("/attached_machine_id"), made[0].at("/id"));
}

TEST_P(FlyRules, ofManyAppsWithOneNameOneIsCreated) {
  const auto responses = sendAtOnce(std::vector<FlyRequest>(8, {"POST", "/v1/apps", R"({"name":"a1","org_slug":"personal"})"}));
  EXPECT_EQ(withStatus(responses, 201).size(), 1u);
  EXPECT_EQ(withStatus(responses, 422).size(), 7u);
}

TEST_P(FlyRules, ofManyUpdatesOfOneVersionOneSucceeds) {
  createApp();
  const FlyMachine machine = started();
  const json::object update{{"config", configWith("env", {{"A", "1"}})}, {"current_version", machine.version}};
  const auto responses = sendAtOnce(std::vector<FlyRequest>(4, {"POST", machine.path, json::serialize(update)}));
  const auto made = withStatus(responses, 200);
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(withStatus(responses, 409).size(), 3u);
  waitFor({machine.id, made[0].at("/instance_id"), machine.path}, "started");
}

TEST_P(FlyRules, ofManyLeasesOneIsGiven) {
  createApp();
  const FlyMachine machine = started();
  const auto responses = sendAtOnce(std::vector<FlyRequest>(4, {"POST", machine.path + "/lease", R"({"ttl":30})"}));
  EXPECT_EQ(withStatus(responses, 201).size(), 1u);
  EXPECT_EQ(withStatus(responses, 409).size(), 3u);
}

TEST_P(FlyRules, aWaitObservesALaterStop) {
  createApp();
  const FlyMachine machine = started();
  const auto responses = sendAtOnce({{"GET", machine.path + "/wait?state=stopped&timeout=30&version=" + machine.version},
                                     {"GET", machine.path + "/wait?state=stopped,destroyed&timeout=30"},
                                     {"POST", machine.path + "/stop"}});
  for (const FlyResponse& response : responses) EXPECT_EQ(response.status, 200) << response;
  EXPECT_EQ(responses[0].at("/state"), "stopped");
  EXPECT_EQ(responses[1].at("/state"), "stopped");
}

// A random sequence of calls found a 500: the process had already ended, and the emulator had not received the event yet.
TEST_P(FlyRules, killsDuringAnUpdateCauseNoServerErrors) {
  createApp();
  const FlyMachine machine = started();
  const json::object update{{"config", configWith("env", {{"A", "1"}})}};
  std::vector<FlyRequest> calls(5, {"POST", machine.path + "/signal", R"({"signal":"SIGKILL"})"});
  calls[0] = {"POST", machine.path, json::serialize(update)};
  for (const FlyResponse& response : sendAtOnce(calls)) EXPECT_TRUE(response.status == 200 || response.status == 412) << response;
  eventually([&] { return state(machine) == "started"; }, "it runs");
}

// The order of the two is undefined; in either order neither call may fail with a server error, and nothing may be left behind.
TEST_P(FlyRules, aForkAndTheDeletionOfItsSourceMayCross) {
  createApp();
  for (int i = 0; i < 10; ++i) {
    const std::string source = createVolume();
    const json::object fork{{"name", "copy"}, {"region", "ams"}, {"source_volume_id", source}};
    const auto responses =
        sendAtOnce({{"POST", "/v1/apps/a1/volumes", json::serialize(fork)}, {"DELETE", "/v1/apps/a1/volumes/" + source}});
    EXPECT_TRUE(responses[0].status == 200 || responses[0].status == 404) << responses[0];
    EXPECT_EQ(responses[1].status, 200) << responses[1];
    if (responses[0].status == 200) EXPECT_EQ(remove("/v1/apps/a1/volumes/" + responses[0].at("/id")).status, 200);
  }
  EXPECT_EQ(get("/emulator/state").at("/volumes"), "0");
}

TEST_P(FlyRules, aHundredMachinesStartAtOnce) {
  createApp();
  const auto responses = sendAtOnce(std::vector<FlyRequest>(100, {"POST", kMachines, json::serialize(machineRequest())}));
  ASSERT_EQ(withStatus(responses, 200).size(), 100u);
  std::vector<FlyRequest> waits;
  for (const FlyResponse& response : responses)
    waits.push_back({"GET", std::string(kMachines) + "/" + response.at("/id") + "/wait?state=started&timeout=60"});
  EXPECT_EQ(withStatus(sendAtOnce(std::move(waits)), 200).size(), 100u);
  EXPECT_EQ(get(std::string(kMachines) + "?state=started").body.as_array().size(), 100u);
}

}  // namespace
}  // namespace swarm::testing
