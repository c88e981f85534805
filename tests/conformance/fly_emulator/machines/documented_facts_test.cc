// Facts of the reference about Machines without a numbered case on which clients rely.
#include <boost/json/serialize.hpp>
#include <map>
#include <regex>
#include <set>

#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

TEST_P(FlyRules, aMountDescribesItsVolume) {
  createApp();
  const std::string volume = createVolume();
  const json::value shown = show(started(mounting(volume)));
  EXPECT_EQ(textAt(shown, "/config/mounts/0/name"), "data");
  EXPECT_EQ(textAt(shown, "/config/mounts/0/size_gb"), "1");
  EXPECT_EQ(textAt(shown, "/config/mounts/0/encrypted"), "true");
}

TEST_P(FlyRules, aMachineWithSwapOrAScheduleIsNotSuspendedAndGpusAreNotSold) {
  createApp();
  json::object swapping = config();
  json::object init = swapping.contains("init") ? swapping.at("init").as_object() : json::object();
  init["swap_size_mb"] = 256;
  swapping["init"] = std::move(init);
  const FlyMachine machine = started(machineRequest(swapping));
  EXPECT_EQ(post(machine.path + "/suspend").status, 412);
  json::object gpu = config();
  gpu["guest"].as_object()["gpu_kind"] = "a10";
  EXPECT_EQ(post(kMachines, machineRequest(gpu)).status, 400);
}

// §3: the sample's image_ref.
TEST_P(FlyRules, anImagesReferenceIsTakenApart) {
  createApp();
  const auto parts = [&](const char* image) {
    const FlyResponse made = post(kMachines, machineRequest(configWith("image", json::value(image))));
    EXPECT_EQ(made.status, 200) << made;
    EXPECT_TRUE(made.at("/image_ref/digest").starts_with("sha256:")) << made;
    return made.at("/image_ref/repository") + ":" + made.at("/image_ref/tag");
  };
  EXPECT_EQ(parts("ubuntu"), "library/ubuntu:latest");
  EXPECT_EQ(parts("ubuntu:24.04"), "library/ubuntu:24.04");
  EXPECT_EQ(parts("registry.fly.io/my-app:deployment-1"), "my-app:deployment-1");
  EXPECT_EQ(parts("registry.example:5000/team/work"), "team/work:latest");
}

// §3
TEST_P(FlyRules, aMachinesMemoryIsShownLimitedAndReclaimed) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse shown = get(machine.path + "/memory");
  EXPECT_EQ(shown.status, 200) << shown;
  EXPECT_EQ(shown.at("/limit_mb"), "256");
  EXPECT_NE(shown.at("/available_mb"), "(missing)");
  const FlyResponse limited = put(machine.path + "/memory", R"({"limit_mb":128})");
  EXPECT_EQ(limited.status, 200) << limited;
  EXPECT_EQ(limited.at("/limit_mb"), "128");
  EXPECT_EQ(get(machine.path + "/memory").at("/limit_mb"), "128");
  const FlyResponse reclaimed = post(machine.path + "/memory/reclaim", R"({"amount_mb":16})");
  EXPECT_EQ(reclaimed.status, 200) << reclaimed;
  EXPECT_NE(reclaimed.at("/actual_mb"), "(missing)");
}

// §3
TEST_P(FlyRules, processesAreListed) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse list = get(machine.path + "/ps?sort_by=rss&order=desc");
  EXPECT_EQ(list.status, 200) << list;
  ASSERT_FALSE(list.body.as_array().empty());
  EXPECT_NE(list.at("/0/pid"), "(missing)");
  EXPECT_NE(list.at("/0/command"), "(missing)");
}

// §3
TEST_P(FlyRules, everyVersionIsKeptWithItsConfiguration) {
  createApp();
  FlyMachine machine = started();
  std::set<std::string> versions = {machine.version};
  for (const char* value : {"1", "2", "3"}) {
    const FlyResponse updated = post(machine.path, json::object{{"config", configWith("env", {{"A", value}})}});
    ASSERT_EQ(updated.status, 200) << updated;
    machine.version = updated.at("/instance_id");
    waitFor(machine, "started");
    EXPECT_TRUE(versions.insert(machine.version).second) << "versions are never reused";
  }
  const FlyResponse list = get(machine.path + "/versions");
  std::map<std::string, std::string> configurations;
  for (const json::value& version : list.body.as_array())
    configurations[textAt(version, "/version")] = textAt(version, "/user_config/env/A");
  ASSERT_EQ(configurations.size(), 4u) << list;
  EXPECT_EQ(configurations[machine.version], "3");
  for (const std::string& version : versions) EXPECT_TRUE(configurations.contains(version)) << version;
}

// §12 E19
TEST_P(FlyRules, aHostCanLackProcessorsToo) {
  options.capacity.hostsPerRegion = 1;
  options.capacity.hostInRegion["ams"] = {.memoryMb = 0, .cpus = 1};
  createApp();
  const FlyMachine machine = stopped(mounting(createVolume()));
  started();
  const FlyResponse response = post(machine.path + "/start");
  EXPECT_EQ(response.status, 409) << response;
  EXPECT_TRUE(response.error().contains("insufficient CPUs available")) << response;
}

// §3
TEST_P(FlyRules, anUpdateRebootsARunningMachineAndSaysSoInItsEvents) {
  createApp();
  const FlyMachine machine = started();
  const int starts = countEvents(machine, "start", "started");
  const FlyResponse updated = post(machine.path, json::object{{"config", configWith("env", {{"A", "1"}})}});
  ASSERT_EQ(updated.status, 200) << updated;
  waitFor({machine.id, updated.at("/instance_id"), machine.path}, "started");
  EXPECT_EQ(countEvents(machine, "start", "started"), starts + 1);
  EXPECT_EQ(countEvents(machine, "update", "replacing"), 1);
}

// §3
TEST_P(FlyRules, anUpdateDoesNotExchangeTheVolume) {
  createApp();
  const std::string first = createVolume(), second = createVolume();
  const FlyMachine machine = started(mounting(first));
  const FlyResponse response = post(machine.path, json::object{{"config", mounting(second).at("config")}});
  EXPECT_GE(response.status, 400) << response;
  EXPECT_LT(response.status, 500) << response;
  EXPECT_EQ(get("/v1/apps/a1/volumes/" + first).at("/attached_machine_id"), machine.id);
  EXPECT_EQ(get("/v1/apps/a1/volumes/" + second).at("/attached_machine_id"), "null");
  EXPECT_EQ(textAt(show(machine), "/instance_id"), machine.version);
}

// §4
TEST_P(FlyRules, whatDoesNotRunIsDestroyedWithoutForce) {
  createApp();
  json::object unlaunched = machineRequest();
  unlaunched["skip_launch"] = true;
  const FlyMachine created = create(unlaunched), suspended = started();
  ASSERT_EQ(post(suspended.path + "/suspend").status, 200);
  waitFor(suspended, "suspended");
  for (const FlyMachine& machine : {created, suspended, stopped()}) {
    const FlyResponse response = remove(machine.path);
    EXPECT_EQ(response.status, 200) << response;
    waitFor(machine, "destroyed");
  }
}

// §12: a destroyed Machine's name and volume can be given to the next one.
TEST_P(FlyRules, whatADestroyedMachineHadIsFreeAgain) {
  createApp();
  const std::string volume = createVolume();
  const FlyMachine first = started(named(mounting(volume), "w1"));
  ASSERT_EQ(remove(first.path + "?force=true").status, 200);
  waitFor(first, "destroyed");
  FlyResponse again;
  eventually(
      [&] {
        again = post(kMachines, named(mounting(volume), "w1"));
        return again.status != 412;
      },
      "the volume is free");
  EXPECT_EQ(again.status, 200) << again;
  EXPECT_NE(again.at("/id"), first.id);
}

}  // namespace
}  // namespace swarm::testing
