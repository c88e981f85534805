// Hosts: an unreachable one (§3, §12 pitfall 8), and a migration to another one (§11). And the effect of the admin routes on times and
// counts.
#include <boost/json/serialize.hpp>

#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

std::string adminPath(const FlyMachine& machine, const char* action) { return "/emulator/machines/" + machine.id + "/" + action; }

TEST_P(FlyRules, aMachineOnAnUnreachableHostIsShownWithoutItsConfiguration) {
  createApp();
  const FlyMachine machine = started();
  ASSERT_LT(post(adminPath(machine, "host"), R"({"status":"unreachable"})").status, 300);
  const json::value shown = show(machine);
  EXPECT_EQ(textAt(shown, "/host_status"), "unreachable");
  const std::string config = textAt(shown, "/config");
  EXPECT_TRUE(config == "(missing)" || config == "null") << config;
  EXPECT_EQ(textAt(shown, "/incomplete_config/image"), GetParam().image());
  EXPECT_GE(post(machine.path, json::object{{"config", configWith("env", {{"A", "1"}})}}).status, 400) << "it cannot be changed";
  ASSERT_LT(post(adminPath(machine, "host"), R"({"status":"ok"})").status, 300);
  EXPECT_EQ(textAt(show(machine), "/host_status"), "ok");
  EXPECT_EQ(textAt(show(machine), "/config/image"), GetParam().image());
  EXPECT_EQ(textAt(show(machine), "/instance_id"), machine.version);
}

TEST_P(FlyRules, aMachineOfADeadHostIsDestroyedWhenTheHostIsBack) {
  createApp();
  const std::string volume = createVolume();
  const FlyMachine machine = started(mounting(volume));
  ASSERT_EQ(post("/v1/apps/a1/volumes/" + volume + "/snapshots").status, 200);
  const std::string snapshot = get("/v1/apps/a1/volumes/" + volume + "/snapshots").at("/0/id");
  ASSERT_LT(post(adminPath(machine, "host"), R"({"status":"unreachable"})").status, 300);
  EXPECT_EQ(post(machine.path + "/stop").status, 412);
  EXPECT_EQ(remove(machine.path + "?force=true").status, 200);
  EXPECT_EQ(state(machine), "destroying");
  const std::string volumes = "/v1/apps/a1/volumes";
  EXPECT_EQ(post(volumes + "/" + volume + "/snapshots").status, 412);
  EXPECT_EQ(put(volumes + "/" + volume + "/extend", R"({"size_gb":9})").status, 412);
  EXPECT_EQ(post(volumes, json::object{{"name", "fork"}, {"region", "ams"}, {"source_volume_id", volume}}).status, 412);
  EXPECT_EQ(post(volumes, json::object{{"name", "restored"}, {"region", "ams"}, {"snapshot_id", snapshot}}).status, 200)
      << "what is stored elsewhere can be restored";
  EXPECT_EQ(state(machine), "destroying");
  ASSERT_LT(post(adminPath(machine, "host"), R"({"status":"ok"})").status, 300);
  eventually([&] { return state(machine) == "destroyed"; }, "it is destroyed");
}

TEST_P(FlyRules, aMigratedMachineKeepsItsIdAndGetsANewVolumeAndAddress) {
  createApp();
  const std::string volume = createVolume();
  const FlyMachine machine = started(mounting(volume));
  ASSERT_EQ(runInside(machine, "echo moved > /data/file").at("/exit_code"), "0");
  const json::value before = show(machine);
  ASSERT_LT(post(adminPath(machine, "migrate")).status, 300);
  eventually([&] { return textAt(show(machine), "/config/mounts/0/volume") != volume && state(machine) == "started"; }, "it has moved");
  const json::value after = show(machine);
  EXPECT_EQ(textAt(after, "/id"), machine.id);
  EXPECT_EQ(textAt(after, "/name"), textAt(before, "/name"));
  EXPECT_EQ(textAt(after, "/region"), "ams");
  EXPECT_NE(textAt(after, "/private_ip"), textAt(before, "/private_ip"));
  EXPECT_EQ(runInside(machine, "cat /data/file").at("/stdout"), "moved\n");
  const std::string fork = textAt(after, "/config/mounts/0/volume");
  EXPECT_EQ(get("/v1/apps/a1/volumes/" + fork).at("/attached_machine_id"), machine.id);
  bool reported = false;
  for (const json::value& event : after.at("events").as_array()) {
    reported =
        reported || (textAt(event, "/type") == "launch" && textAt(event, "/status") == "created" && textAt(event, "/source") == "flyd");
  }
  EXPECT_TRUE(reported) << json::serialize(after.at("events"));
  EXPECT_TRUE(get(machine.path + "/events").text.contains("\"migrated\":true"));
}

// §12 E19: "could not reserve resource" is also a response of update.
TEST_P(FlyRules, anUpdateThatOutgrowsTheHostIsRefusedAndChangesNothing) {
  options.capacity.hostsPerRegion = 1;
  options.capacity.hostInRegion["ams"] = {.memoryMb = 768, .cpus = 0};
  createApp();
  const FlyMachine grows = started(), stays = started();
  json::object bigger = config();
  bigger.at("guest").as_object()["memory_mb"] = 768;
  const FlyResponse refused = post(grows.path, json::object{{"config", bigger}});
  EXPECT_EQ(refused.status, 409) << refused;
  EXPECT_TRUE(refused.error().contains("could not reserve resource for machine: insufficient memory available")) << refused;
  EXPECT_EQ(textAt(show(grows), "/instance_id"), grows.version);
  EXPECT_EQ(textAt(show(grows), "/config/guest/memory_mb"), "256");
  bigger.at("guest").as_object()["memory_mb"] = 512;
  const FlyResponse fits = post(grows.path, json::object{{"config", bigger}});
  ASSERT_EQ(fits.status, 200) << fits;
  waitFor({grows.id, fits.at("/instance_id"), grows.path}, "started");
  EXPECT_GE(post(kMachines, machineRequest()).status, 400) << "the host is full now";
  ASSERT_EQ(remove(stays.path + "?force=true").status, 200);
  waitFor(stays, "destroyed");
  EXPECT_EQ(post(kMachines, machineRequest()).status, 200);
}

TEST_P(FlyRules, aFaultHitsOnlyWhatItMatches) {
  createApp();
  createApp("a2");
  emulator().addFault({{"match", {{"method", "POST"}, {"path", kMachines}}}, {"skip", 1}, {"count", 1}, {"effect", {{"status", 503}}}});
  EXPECT_EQ(get(kMachines).status, 200) << "another method";
  EXPECT_EQ(post("/v1/apps/a2/machines", machineRequest()).status, 200) << "another path";
  EXPECT_EQ(post(kMachines, machineRequest()).status, 200) << "the first is skipped";
  EXPECT_EQ(post(kMachines, machineRequest()).status, 503);
  EXPECT_EQ(post(kMachines, machineRequest()).status, 200) << "once";
}

TEST_P(FlyRules, aMachineCanBeStuckInCreated) {
  createApp();
  emulator().addFault({{"match", {{"method", "POST"}, {"path", kMachines}}}, {"effect", {{"stuck", true}}}});
  const FlyMachine machine = create(machineRequest());
  EXPECT_EQ(get(machine.path + "/wait?state=started&timeout=1").status, 408);
  EXPECT_EQ(state(machine), "created");
  EXPECT_EQ(remove(machine.path + "?force=true").status, 200);
  waitFor(machine, "destroyed");
}

TEST_P(FlyRules, aStopCanTakeLongToSettle) {
  createApp();
  const FlyMachine machine = started();
  emulator().addFault({{"match", {{"method", "POST"}, {"path", machine.path + "/stop"}}}, {"effect", {{"settle_ms", 8000}}}});
  stop(machine);
  const FlyResponse early = post(machine.path + "/start");
  EXPECT_EQ(early.status, 412) << early;
  EXPECT_TRUE(early.error().contains("machine still active, refusing to start")) << early;
  clock.advance(std::chrono::seconds(8));
  EXPECT_EQ(post(machine.path + "/start").status, 200);
}

TEST_P(FlyRules, aNewMachineCanBeUnknownForAWhileOnDemand) {
  createApp();
  emulator().addFault({{"match", {{"method", "POST"}, {"path", kMachines}}}, {"effect", {{"propagation_ms", 3000}}}});
  const FlyMachine machine = create(machineRequest());
  EXPECT_EQ(get(machine.path).status, 404);
  clock.advance(std::chrono::seconds(3));
  eventually([&] { return get(machine.path).status == 200; }, "it is known everywhere");
}

TEST_P(FlyRules, theStateOfTheEmulatorCountsWhatIsThere) {
  createApp();
  started(mounting(createVolume()));
  ASSERT_EQ(post("/v1/apps/a1/ip_assignments", R"({"type":"v6"})").status, 200);
  const FlyResponse busy = get("/emulator/state");
  EXPECT_EQ(busy.status, 200);
  for (const char* count : {"/apps", "/machines", "/volumes", "/ips"}) EXPECT_EQ(busy.at(count), "1") << count << busy;
  ASSERT_EQ(remove("/v1/apps/a1?force=true").status, 202);
  eventually(
      [&] {
        const FlyResponse idle = get("/emulator/state");
        return idle.at("/apps") == "0" && idle.at("/machines") == "0" && idle.at("/volumes") == "0" && idle.at("/ips") == "0";
      },
      "nothing is left");
}

TEST_P(FlyRules, theAdminRoutesRequireNoToken) {
  EXPECT_EQ(send({"GET", "/emulator/state", {}, {}, ""}).status, 200);
  EXPECT_EQ(send({"GET", "/emulator/nope", {}, {}, ""}).status, 404);
}

}  // namespace
}  // namespace swarm::testing
