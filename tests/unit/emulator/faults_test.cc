// Faults as clients see them, and cases that need a manual clock.
#include <set>

#include "unit/emulator/fixture.h"

namespace swarm::test {
namespace {

class Faults : public EmulatorFixture {};

json::object machineNamed(const std::string& name) { return {{"name", name}, {"region", "ams"}, {"config", {{"image", "alpine"}}}}; }

TEST_F(Faults, aConnectionThatIsCutBeforeTheWorkLeavesNothing) {
  createApp();
  addFault(R"({"match":{"action":"machine_create"},"effect":{"cut":"before"}})");
  EXPECT_EQ(post("/v1/apps/a1/machines", machineNamed("one")).status, 0);
  EXPECT_EQ(get("/v1/apps/a1/machines").text, "[]");
}

TEST_F(Faults, aConnectionThatIsCutAfterTheWorkLeavesAMachine) {
  createApp();
  addFault(R"({"match":{"action":"machine_create"},"effect":{"cut":"after"}})");
  EXPECT_EQ(post("/v1/apps/a1/machines", machineNamed("one")).status, 0);
  EXPECT_EQ(get("/v1/apps/a1/machines").at("/0/name"), "one");
  EXPECT_EQ(post("/v1/apps/a1/machines", machineNamed("one")).status, 409);
}

TEST_F(Faults, aCreateThatTimesOutAfterTheWorkIsThereToBeFound) {
  createApp();
  addFault(R"({"match":{"action":"machine_create"},"effect":{"error":"E34","commit":true}})");
  EXPECT_EQ(post("/v1/apps/a1/machines", machineNamed("one")).status, 408);
  EXPECT_EQ(get("/v1/apps/a1/machines").at("/0/name"), "one");
}

TEST_F(Faults, whatTheWorkItselfRefusesIsNotHiddenByAFaultAfterIt) {
  createApp();
  post("/v1/apps/a1/machines", machineNamed("one"));
  addFault(R"({"match":{"action":"machine_create"},"effect":{"error":"E34","commit":true}})");
  EXPECT_EQ(post("/v1/apps/a1/machines", machineNamed("one")).status, 409);
}

TEST_F(Faults, anEmptyListIsEmptyOnce) {
  createApp();
  createMachine();
  addFault(R"({"match":{"action":"machine_list"},"effect":{"empty_list":true}})");
  addFault(R"({"match":{"action":"org_machines"},"effect":{"empty_list":true}})");
  EXPECT_EQ(get("/v1/apps/a1/machines").text, "[]");
  EXPECT_EQ(get("/v1/orgs/personal/machines").at("/machines"), "[]");
  EXPECT_NE(get("/v1/apps/a1/machines").text, "[]");
  EXPECT_NE(get("/v1/orgs/personal/machines").at("/machines"), "[]");
}

TEST_F(Faults, aPartialListLacksItsRegionsAndSaysSo) {
  createApp();
  createMachine({}, {{"region", "ams"}});
  createMachine({}, {{"region", "fra"}});
  addFault(R"({"match":{"action":"org_machines"},"effect":{"error_regions":["ams"]}})");
  ApiResponse partial = get("/v1/orgs/personal/machines");
  EXPECT_EQ(partial.at("/error_regions"), R"(["ams"])");
  ASSERT_EQ(partial.body.at("machines").as_array().size(), 1u);
  EXPECT_EQ(partial.at("/machines/0/region"), "fra");
  EXPECT_EQ(get("/v1/orgs/personal/machines").body.at("machines").as_array().size(), 2u);
}

TEST_F(Faults, aMachineThatSpreadsSlowlyIsFoundByItsMakerAtOnceAndByOthersLater) {
  createApp();
  addFault(R"({"match":{"action":"machine_create"},"effect":{"propagation_ms":3000}})");
  ApiResponse made = post("/v1/apps/a1/machines", machineNamed("one"));
  std::string machine = "/v1/apps/a1/machines/" + made.at("/id");
  EXPECT_EQ(get(machine).status, 404);
  EXPECT_EQ(get("/v1/apps/a1/machines").text, "[]");
  std::string cookie(net::findHeader(made.headers, "set-cookie"));
  EXPECT_EQ(send("GET", machine, "", {{"Cookie", cookie.substr(0, cookie.find(';'))}}).status, 200);
  clock.advance(std::chrono::milliseconds(2999));
  EXPECT_EQ(get(machine).status, 404);
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(get(machine).status, 200);
}

TEST_F(Faults, anAppThatSpreadsSlowlyTakesNoMachinesYet) {
  addFault(R"({"match":{"action":"app_create"},"effect":{"propagation_ms":2000}})");
  createApp();
  EXPECT_EQ(get("/v1/apps/a1").status, 200);
  ApiResponse early = post("/v1/apps/a1/machines", machineNamed("one"));
  EXPECT_EQ(early.status, 404);
  EXPECT_EQ(early.at("/error"), "app not found");
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(post("/v1/apps/a1/machines", machineNamed("one")).status, 200);
}

TEST_F(Faults, aStopThatSettlesSlowlyRefusesAStartForThatLong) {
  createApp();
  std::string machine = createStarted();
  addFault(R"({"match":{"action":"machine_stop"},"effect":{"settle_ms":8000}})");
  post(machine + "/stop");
  waitFor(machine, "stopped");
  ApiResponse early = post(machine + "/start");
  EXPECT_EQ(early.status, 412);
  EXPECT_NE(early.text.find("still active"), std::string::npos);
  clock.advance(std::chrono::seconds(8));
  EXPECT_EQ(post(machine + "/start").status, 200);
}

TEST_F(Faults, aMachineCanBeStuckInCreatedAndStillBeDestroyed) {
  createApp();
  addFault(R"({"match":{"action":"machine_create"},"effect":{"stuck":true}})");
  std::string machine = createMachine();
  EXPECT_EQ(get(machine + "/wait?state=started&timeout=1").status, 408);
  EXPECT_EQ(stateOf(machine), "created");
  EXPECT_EQ(send("DELETE", machine + "?force=true").status, 200);
  waitFor(machine, "destroyed");
}

TEST_F(Faults, aLimitThatIsExceededAnswers429UntilTimeHasPassed) {
  options.rateLimits = emulator::RateLimits::On;
  createApp();
  std::string machine = createMachine();
  for (int call = 0; call < 10; ++call) EXPECT_EQ(get(machine).status, 200);
  EXPECT_EQ(get(machine).status, 429);
  clock.advance(std::chrono::milliseconds(200));
  EXPECT_EQ(get(machine).status, 200);
  EXPECT_EQ(get(machine).status, 429);
  EXPECT_EQ(get("/v1/apps/a1/machines").status, 200);
}

TEST_F(Faults, leasesAndUnbindingFollowTheClock) {
  options.times.volumeUnbind = std::chrono::seconds(180);
  createApp();
  std::string volume = post("/v1/apps/a1/volumes", json::object{{"name", "data"}, {"region", "ams"}, {"size_gb", 1}}).at("/id");
  std::string machine = createStarted({{"mounts", json::array{json::object{{"volume", volume}, {"path", "/data"}}}}});
  post(machine + "/lease", json::object{{"ttl", 30}});
  EXPECT_EQ(send("DELETE", machine + "?force=true").status, 409);
  clock.advance(std::chrono::seconds(30));
  EXPECT_EQ(send("DELETE", machine + "?force=true").status, 200);
  waitFor(machine, "destroyed");
  EXPECT_EQ(send("DELETE", "/v1/apps/a1/volumes/" + volume).status, 412);
  clock.advance(std::chrono::seconds(179));
  EXPECT_EQ(send("DELETE", "/v1/apps/a1/volumes/" + volume).status, 412);
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(send("DELETE", "/v1/apps/a1/volumes/" + volume).at("/state"), "pending_destroy");
}

TEST_F(Faults, aDestroyedMachineIsRememberedForAWhile) {
  createApp();
  std::string machine = createStarted();
  send("DELETE", machine + "?force=true");
  waitFor(machine, "destroyed");
  EXPECT_EQ(stateOf(machine), "destroyed");
  clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(get(machine).status, 404);
  clock.advance(std::chrono::hours(2));
  createMachine();
  EXPECT_EQ(state().at("destroyed_machines").as_int64(), 0) << "it is bounded";
}

TEST_F(Faults, aDeletedVolumesSnapshotsCanBeRestoredUntilTheyExpire) {
  createApp();
  std::string volume = post("/v1/apps/a1/volumes", json::object{{"name", "data"}, {"region", "ams"}, {"size_gb", 1}}).at("/id");
  std::string snapshot = post("/v1/apps/a1/volumes/" + volume + "/snapshots").at("/Msg/backup/id");
  EXPECT_EQ(send("DELETE", "/v1/apps/a1/volumes/" + volume).status, 200);
  clock.advance(std::chrono::days(4));
  json::object restore{{"name", "data"}, {"region", "ams"}, {"size_gb", 1}, {"snapshot_id", snapshot}};
  ApiResponse restored = post("/v1/apps/a1/volumes", restore);
  EXPECT_EQ(restored.status, 200) << restored.text;
  clock.advance(std::chrono::days(2));
  EXPECT_EQ(post("/v1/apps/a1/volumes", restore).status, 404);
  createMachine();
  EXPECT_EQ(get("/v1/apps/a1/volumes/" + volume).status, 404) << "its entry is gone, too";
  eventually([this] { return state().at("backend").at("volumes").to_number<int>() == 1; });
}

TEST_F(Faults, anUnreachableHostHidesTheConfigurationAndRefusesChanges) {
  createApp();
  std::string machine = createStarted();
  std::string id = get(machine).at("/id");
  EXPECT_EQ(post("/emulator/machines/" + id + "/host", json::object{{"status", "unreachable"}}).status, 200);
  ApiResponse shown = get(machine);
  EXPECT_EQ(shown.at("/host_status"), "unreachable");
  EXPECT_EQ(shown.at("/config"), "");
  EXPECT_EQ(shown.at("/incomplete_config/image"), "alpine");
  EXPECT_EQ(post(machine + "/stop").status, 412);
  EXPECT_EQ(exec(machine, "true").status, 412);
  post("/emulator/machines/" + id + "/host", json::object{{"status", "ok"}});
  EXPECT_EQ(post(machine + "/stop").status, 200);
}

TEST_F(Faults, aMigrationKeepsTheMachineAndItsDataAndChangesVolumeAndAddress) {
  createApp();
  std::string volume = post("/v1/apps/a1/volumes", json::object{{"name", "data"}, {"region", "ams"}, {"size_gb", 1}}).at("/id");
  std::string machine = createStarted({{"mounts", json::array{json::object{{"volume", volume}, {"path", "/data"}}}}});
  exec(machine, "echo kept > /data/file");
  ApiResponse before = get(machine);
  EXPECT_EQ(post("/emulator/machines/" + before.at("/id") + "/migrate").status, 202);
  waitFor(machine, "started");
  ApiResponse after = get(machine);
  EXPECT_EQ(after.at("/id"), before.at("/id"));
  EXPECT_NE(after.at("/private_ip"), before.at("/private_ip"));
  std::string moved = after.at("/config/mounts/0/volume");
  EXPECT_NE(moved, volume);
  EXPECT_EQ(exec(machine, "cat /data/file").at("/stdout"), "kept\n");
  EXPECT_EQ(get("/v1/apps/a1/volumes/" + moved).at("/attached_machine_id"), after.at("/id"));
  EXPECT_EQ(get("/v1/apps/a1/volumes/" + volume).at("/state"), "pending_destroy");
  EXPECT_EQ(state().at("volumes").as_int64(), 1);
}

TEST_F(Faults, hostsRunFullAndTheErrorHasTheScope) {
  options.capacity.hostsPerRegion = 1;
  options.capacity.host = {512, 0};
  createApp();
  std::string volume = post("/v1/apps/a1/volumes", json::object{{"name", "data"}, {"region", "ams"}, {"size_gb", 1}}).at("/id");
  std::string first = createStarted();
  post(first + "/stop");
  waitFor(first, "stopped");
  createStarted();
  createStarted();
  EXPECT_EQ(post("/v1/apps/a1/machines", machineNamed("region")).at("/status"), "insufficient_capacity");
  ApiResponse host = post(first + "/start");
  EXPECT_EQ(host.status, 409);
  EXPECT_NE(host.text.find("could not reserve resource"), std::string::npos);
  json::object mounted = machineNamed("volume");
  mounted["config"].as_object()["mounts"] = json::array{json::object{{"volume", volume}, {"path", "/data"}}};
  ApiResponse placement = post("/v1/apps/a1/machines", mounted);
  EXPECT_EQ(placement.status, 412);
  EXPECT_EQ(placement.at("/status"), "volume_placement_capacity");
  // Another region still has room, and an expression finds it.
  json::object elsewhere = machineNamed("elsewhere");
  elsewhere["region"] = "ams,fra";
  EXPECT_EQ(post("/v1/apps/a1/machines", elsewhere).at("/region"), "fra");
}

TEST_F(Faults, anOrganizationsQuotaIsPerRegion) {
  createApp();
  send("PUT", "/emulator/settings", R"({"quota_mb":256})");
  createStarted();
  ApiResponse over = post("/v1/apps/a1/machines", machineNamed("over"));
  EXPECT_EQ(over.status, 403);
  EXPECT_NE(over.text.find("over the allowed quota"), std::string::npos);
  createStarted({}, {{"region", "fra"}});
}

TEST_F(Faults, twoThousandMachinesAreListedWholeAndInPages) {
  createApp();
  std::vector<net::HttpRequest> requests(
      2000, {.method = "POST", .target = "/v1/apps/a1/machines", .body = R"({"region":"ams","config":{"image":"alpine"}})"});
  for (std::size_t begin = 0; begin < requests.size(); begin += 50) {
    for (const ApiResponse& response :
         sendAll({requests.begin() + static_cast<long>(begin), requests.begin() + static_cast<long>(begin) + 50})) {
      ASSERT_EQ(response.status, 200) << response.text;
    }
  }
  eventually([&] { return state().at("states").as_object().contains("started") && state().at("states").at("started").as_int64() == 2000; });
  EXPECT_EQ(get("/v1/apps/a1/machines?summary=true").body.as_array().size(), 2000u);
  std::set<std::string> seen;
  std::string cursor;
  do {
    ApiResponse page = get("/v1/orgs/personal/machines?limit=700" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const json::value& machine : page.body.at("machines").as_array()) seen.insert(std::string(machine.at("id").as_string()));
    cursor = page.at("/next_cursor");
  } while (!cursor.empty());
  EXPECT_EQ(seen.size(), 2000u);
}

}  // namespace
}  // namespace swarm::test
