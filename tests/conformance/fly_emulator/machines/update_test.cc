// Cases 59 to 66: updates replace the whole configuration, metadata changes do not.
#include <boost/json/serialize.hpp>

#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

json::object withEnv(json::object config, const char* value) {
  config["env"] = json::object{{"A", value}};
  return {{"config", config}};
}

FlyMachine newVersion(const FlyMachine& machine, const FlyResponse& updated) {
  return {machine.id, updated.at("/instance_id"), machine.path};
}

TEST_P(FlyRules, case059_anUpdateMakesANewVersionThatStarts) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse updated = post(machine.path, withEnv(config(), "1"));
  EXPECT_EQ(updated.status, 200) << updated;
  EXPECT_EQ(updated.at("/id"), machine.id);
  EXPECT_EQ(updated.at("/instance_id").size(), 26u);
  EXPECT_NE(updated.at("/instance_id"), machine.version);
  waitFor(newVersion(machine, updated), "started");
  const json::value shown = show(machine);
  EXPECT_EQ(textAt(shown, "/state"), "started");
  EXPECT_EQ(textAt(shown, "/instance_id"), updated.at("/instance_id"));
  EXPECT_EQ(textAt(shown, "/config/env/A"), "1");
  EXPECT_EQ(get(machine.path + "?version=" + machine.version).at("/state"), "replaced");
  const FlyResponse versions = get(machine.path + "/versions");
  EXPECT_EQ(versions.body.as_array().size(), 2u) << versions;
}

TEST_P(FlyRules, case060_anUpdateLeavesAStoppedMachineStopped) {
  createApp();
  const FlyMachine machine = stopped();
  const int starts = countEvents(machine, "start", "started");
  const FlyResponse updated = post(machine.path, withEnv(config(), "1"));
  ASSERT_EQ(updated.status, 200) << updated;
  waitFor(newVersion(machine, updated), "stopped");
  EXPECT_EQ(state(machine), "stopped");
  EXPECT_EQ(countEvents(machine, "start", "started"), starts);
  EXPECT_EQ(textAt(show(machine), "/config/env/A"), "1");
}

TEST_P(FlyRules, case060_anUpdateThatSkipsTheLaunchDoesNotStartTheMachine) {
  createApp();
  const FlyMachine machine = started();
  const int starts = countEvents(machine, "start", "started");
  json::object body = withEnv(config(), "1");
  body["skip_launch"] = true;
  ASSERT_EQ(post(machine.path, body).status, 200);
  eventually([&] { return state(machine) == "created" || state(machine) == "stopped"; }, "it is created or stopped");
  EXPECT_EQ(countEvents(machine, "start", "started"), starts);
}

TEST_P(FlyRules, case061_whatAnUpdateLeavesOutIsRemoved) {
  createApp();
  const json::value service{
      {"protocol", "tcp"}, {"internal_port", 7777}, {"ports", json::array{{{"port", 443}, {"handlers", {"tls", "http"}}}}}};
  const FlyMachine machine = started(machineRequest(configWith("services", json::array{service})));
  EXPECT_EQ(textAt(show(machine), "/config/services/0/internal_port"), "7777");
  const FlyResponse updated = post(machine.path, json::object{{"config", config()}});
  ASSERT_EQ(updated.status, 200) << updated;
  waitFor(newVersion(machine, updated), "started");
  const std::string services = textAt(show(machine), "/config/services");
  EXPECT_TRUE(services == "(missing)" || services == "[]" || services == "null") << services;
}

TEST_P(FlyRules, case062_anUpdateChangesNeitherRegionNorName) {
  createApp();
  json::object request = machineRequest();
  request["name"] = "w1";
  const FlyMachine machine = started(request);
  for (const auto& [member, value] : {std::pair("region", "fra"), std::pair("name", "w2")}) {
    json::object body = withEnv(config(), "1");
    body[member] = value;
    const FlyResponse updated = post(machine.path, body);
    EXPECT_TRUE(updated.status == 200 || updated.status == 400) << updated;
  }
  eventually([&] { return state(machine) == "started"; }, "it runs");
  EXPECT_EQ(textAt(show(machine), "/region"), "ams");
  EXPECT_EQ(textAt(show(machine), "/name"), "w1");
}

TEST_P(FlyRules, case063_anUpdateOfAStaleVersionChangesNothing) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse first = post(machine.path, withEnv(config(), "1"));
  ASSERT_EQ(first.status, 200) << first;
  waitFor(newVersion(machine, first), "started");
  json::object stale = withEnv(config(), "2");
  stale["current_version"] = machine.version;
  const FlyResponse refused = post(machine.path, stale);
  EXPECT_EQ(refused.status, 409) << refused;
  EXPECT_EQ(textAt(show(machine), "/instance_id"), first.at("/instance_id"));
  EXPECT_EQ(textAt(show(machine), "/config/env/A"), "1");
  EXPECT_EQ(state(machine), "started");
  stale["current_version"] = first.at("/instance_id");
  const FlyResponse current = post(machine.path, stale);
  EXPECT_EQ(current.status, 200) << current;
  EXPECT_EQ(textAt(show(machine), "/config/env/A"), "2");
}

void expectMergedMetadata(const FlyResponse& all) {
  EXPECT_EQ(all.status, 200) << all;
  EXPECT_EQ(all.at("/a"), "1");
  EXPECT_EQ(all.at("/b"), "(missing)");
  EXPECT_EQ(all.at("/c"), "3");
}

TEST_P(FlyRules, case064_metadataIsMergedWithoutANewVersion) {
  createApp();
  for (const char* method : {"PATCH", "PUT"}) {
    const FlyMachine machine = started(machineRequest(configWith("metadata", {{"b", "2"}, {"c", "3"}})));
    const int starts = countEvents(machine, "start", "started");
    const FlyResponse merged = send({method, machine.path + "/metadata", R"({"metadata":{"a":"1","b":null}})"});
    EXPECT_EQ(merged.status, 204) << method << merged;
    EXPECT_EQ(merged.text, "");
    expectMergedMetadata(get(machine.path + "/metadata"));
    EXPECT_EQ(textAt(show(machine), "/instance_id"), machine.version);
    EXPECT_EQ(state(machine), "started");
    EXPECT_EQ(countEvents(machine, "start", "started"), starts) << "it was not restarted";
  }
}

TEST_P(FlyRules, case064_anEmptyValueRemovesAMetadataKey) {
  createApp();
  const FlyMachine machine = started(machineRequest(configWith("metadata", {{"b", "2"}, {"c", "3"}})));
  EXPECT_EQ(patch(machine.path + "/metadata", R"({"metadata":{"a":"1","b":""}})").status, 204);
  expectMergedMetadata(get(machine.path + "/metadata"));
}

TEST_P(FlyRules, case065_metadataOfAStaleVersionIsRefused) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse updated = post(machine.path, withEnv(config(), "1"));
  ASSERT_EQ(updated.status, 200) << updated;
  const auto body = [](const std::string& version) {
    return json::serialize(json::object{{"metadata", {{"a", "1"}}}, {"machine_version", version}});
  };
  EXPECT_EQ(patch(machine.path + "/metadata", body(machine.version)).status, 412);
  EXPECT_EQ(get(machine.path + "/metadata").at("/a"), "(missing)");
  EXPECT_EQ(patch(machine.path + "/metadata", body(updated.at("/instance_id"))).status, 204);
  EXPECT_EQ(get(machine.path + "/metadata").at("/a"), "1");
}

TEST_P(FlyRules, case066_oneMetadataKeyIsSetReadAndRemoved) {
  createApp();
  const FlyMachine machine = started();
  const std::string key = machine.path + "/metadata/role";
  const FlyResponse set = post(key, R"({"value":"x"})");
  EXPECT_EQ(set.status, 204) << set;
  const FlyResponse read = get(key);
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.at("/value"), "x");
  EXPECT_EQ(get(machine.path + "/metadata").at("/role"), "x");
  EXPECT_EQ(remove(key).status, 204);
  EXPECT_EQ(get(key).status, 404);
  EXPECT_EQ(textAt(show(machine), "/instance_id"), machine.version);
}

}  // namespace
}  // namespace swarm::testing
