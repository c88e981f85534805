// Cases 99 to 107, the emulator's half: rate limits, capacity, and injected responses. And every row of the error catalogue (§12).
#include <boost/json/serialize.hpp>

#include "base/error.h"
#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

json::object sized(json::object config, int memory_mb) {
  config["guest"] = json::object{{"cpu_kind", "shared"}, {"cpus", 1}, {"memory_mb", memory_mb}};
  return config;
}

json::object fault(const char* method, const char* path, json::object effect) {
  return {{"match", {{"method", method}, {"path", path}}}, {"count", 1}, {"effect", std::move(effect)}};
}

TEST_P(FlyRules, case099_aBurstAgainstOneMachineIsLimitedAndAnotherIsNot) {
  options.rateLimits = emulator::RateLimits::On;
  createApp();
  const FlyMachine one = started(), two = create(machineRequest());
  clock.freeze();
  int limited = 0;
  for (int i = 0; i < 4; ++i) limited += post(one.path + "/stop").status == 429 ? 1 : 0;
  EXPECT_GE(limited, 1) << "one per second, three at once";
  EXPECT_EQ(post(two.path + "/stop").status, 200);
}

TEST_P(FlyRules, case099_aMachineIsReadTenTimesAtOnce) {
  options.rateLimits = emulator::RateLimits::On;
  createApp();
  const FlyMachine machine = create(machineRequest());
  clock.freeze();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get(machine.path).status, 200) << i;
  EXPECT_EQ(get(machine.path).status, 429) << "five per second, ten at once";
  clock.advance(std::chrono::seconds(1));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get(machine.path).status, 200) << i;
}

TEST_P(FlyRules, case099_aLimitedActionIsAllowedAgainLater) {
  options.rateLimits = emulator::RateLimits::On;
  createApp();
  const FlyMachine machine = started();
  clock.freeze();
  eventually([&] { return post(machine.path + "/stop").status == 429; }, "the limit is met");
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(post(machine.path + "/stop").status, 200);
}

TEST_P(FlyRules, aRequestThatAProxyRepeatsIsPerformedTwice) {
  createApp();
  emulator().addFault({{"match", {{"action", "volume_create"}}}, {"effect", {{"twice", "first"}}}});
  std::string responded = createVolume();
  const FlyResponse volumes = get("/v1/apps/a1/volumes");
  ASSERT_EQ(volumes.body.as_array().size(), 2u) << "names of volumes need not be unique";
  EXPECT_EQ(volumes.at("/0/id"), responded);
  EXPECT_EQ(volumes.at("/1/name"), volumes.at("/0/name"));
  emulator().addFault({{"match", {{"action", "machine_create"}}}, {"effect", {{"twice", "first"}}}});
  create(machineRequest());
  EXPECT_EQ(get(kMachines).body.as_array().size(), 2u);
  emulator().addFault({{"match", {{"action", "machine_create"}}}, {"effect", {{"twice", "last"}}}});
  EXPECT_EQ(post(kMachines, named(machineRequest(), "m1")).status, 409)
      << "names of Machines are unique: the second request finds the first one's Machine";
  EXPECT_EQ(get(kMachines).body.as_array().size(), 3u);
}

void expectRegionIsFull(const FlyResponse& response) {
  EXPECT_TRUE(response.status == 422 || response.status == 503) << response;
  EXPECT_EQ(response.at("/status"), "insufficient_capacity");
}

TEST_P(FlyRules, case100_aFullRegionSaysSoAndAnotherHasRoom) {
  options.capacity.hostsPerRegion = 1;
  options.capacity.hostInRegion["ams"] = {.memoryMb = 256, .cpus = 0};
  createApp();
  started();
  expectRegionIsFull(post(kMachines, machineRequest()));
  EXPECT_EQ(get(kMachines).body.as_array().size(), 1u) << "nothing was created";
  json::object elsewhere = machineRequest();
  elsewhere["region"] = "fra";
  started(elsewhere);
}

TEST_P(FlyRules, case100_aRegionCanBeFullOnDemand) {
  createApp();
  emulator().addFault(fault("POST", "/v1/apps/*/machines", {{"capacity", "region"}}));
  expectRegionIsFull(post(kMachines, machineRequest()));
  EXPECT_EQ(get(kMachines).text.find("\"id\""), std::string::npos);
  EXPECT_EQ(post(kMachines, machineRequest()).status, 200);
}

TEST_P(FlyRules, case101_aMachineCantStartOnAFullHost) {
  options.capacity.hostsPerRegion = 1;
  options.capacity.hostInRegion["ams"] = {.memoryMb = 512, .cpus = 0};
  createApp();
  const FlyMachine machine = stopped(mounting(createVolume()));
  started(machineRequest(sized(config(), 512)));
  const FlyResponse response = post(machine.path + "/start");
  EXPECT_EQ(response.status, 409) << response;
  EXPECT_TRUE(response.error().contains("could not reserve resource for machine: insufficient memory available")) << response;
  EXPECT_EQ(state(machine), "stopped");
}

TEST_P(FlyRules, case102_aVolumeOnAFullHostTakesNoMachineAndAForkDoes) {
  options.capacity.hostsPerRegion = 1;
  options.capacity.hostInRegion["ams"] = {.memoryMb = 512, .cpus = 0};
  createApp();
  const std::string volume = createVolume();
  started(machineRequest(sized(config(), 512)));
  const FlyResponse refused = post(kMachines, mounting(volume));
  EXPECT_EQ(refused.status, 412) << refused;
  EXPECT_EQ(refused.at("/status"), "volume_placement_capacity");
  EXPECT_EQ(refused.error(), "insufficient resources to create new machine with existing volume id '" + volume + "'");
  EXPECT_EQ(get("/v1/apps/a1/volumes/" + volume).at("/attached_machine_id"), "null");
  const FlyResponse fork =
      post("/v1/apps/a1/volumes", json::object{{"name", "data"}, {"region", "fra"}, {"size_gb", 1}, {"source_volume_id", volume}});
  ASSERT_EQ(fork.status, 200) << fork;
  json::object elsewhere = mounting(fork.at("/id"));
  elsewhere["region"] = "fra";
  started(elsewhere);
  EXPECT_EQ(remove("/v1/apps/a1/volumes/" + volume).status, 200);
}

TEST_P(FlyRules, case103_aCreateMayHaveHappenedAlthoughItTimedOut) {
  createApp();
  emulator().addFault(fault("POST", kMachines, {{"error", "E34"}, {"commit", true}}));
  EXPECT_EQ(post(kMachines, named(machineRequest(), "w1")).status, 408);
  const FlyResponse list = get(kMachines);
  ASSERT_EQ(list.body.as_array().size(), 1u) << list;
  EXPECT_EQ(list.at("/0/name"), "w1");
  const FlyResponse again = post(kMachines, named(machineRequest(), "w1"));
  EXPECT_EQ(again.status, 409);
  EXPECT_TRUE(again.error().contains("machine ID " + list.at("/0/id") + " already exists")) << again;
  emulator().addFault(fault("POST", kMachines, {{"error", "E34"}}));
  EXPECT_EQ(post(kMachines, named(machineRequest(), "w2")).status, 408);
  EXPECT_EQ(get(kMachines).body.as_array().size(), 1u) << "this one was not performed";
}

TEST_P(FlyRules, case103_aConnectionIsCutBeforeOrAfterTheWork) {
  createApp();
  emulator().addFault(fault("POST", kMachines, {{"cut", "after"}}));
  EXPECT_THROW(post(kMachines, named(machineRequest(), "w1")), Error);
  eventually([&] { return get(kMachines).body.as_array().size() == 1; }, "it was made");
  emulator().addFault(fault("POST", kMachines, {{"cut", "before"}}));
  EXPECT_THROW(post(kMachines, named(machineRequest(), "w2")), Error);
  EXPECT_EQ(get(kMachines).body.as_array().size(), 1u);
}

TEST_P(FlyRules, case104_aListIsWronglyEmptyOnce) {
  createApp();
  const FlyMachine machine = started();
  emulator().addFault(fault("GET", kMachines, {{"empty_list", true}}));
  const FlyResponse empty = get(kMachines);
  EXPECT_EQ(empty.status, 200);
  EXPECT_EQ(empty.text, "[]");
  EXPECT_EQ(get(kMachines).at("/0/id"), machine.id);
}

TEST_P(FlyRules, case105_aNewMachineIsNotFoundForAWhileButWhereItWasMade) {
  options.times.machinePropagation = std::chrono::minutes(1);
  createApp();
  const FlyResponse made = post(kMachines, machineRequest());
  ASSERT_EQ(made.status, 200) << made;
  const std::string path = std::string(kMachines) + "/" + made.at("/id");
  const std::string cookie = made.header("set-cookie");
  EXPECT_TRUE(cookie.starts_with("fly_flaps_affinity=")) << cookie;
  EXPECT_EQ(send({"GET", path, {}, {{"Cookie", cookie.substr(0, cookie.find(';'))}}}).status, 200);
  const FlyResponse elsewhere = get(path);
  EXPECT_EQ(elsewhere.status, 404) << elsewhere;
  EXPECT_TRUE(elsewhere.error().contains("machine not found")) << elsewhere;
  clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(get(path).status, 200) << "it has propagated";
}

TEST_P(FlyRules, case106_anOrganisationsListSaysWhatItLacks) {
  createApp();
  const FlyMachine here = started();
  json::object request = machineRequest();
  request["region"] = "fra";
  const FlyMachine there = started(request);
  eventually([&] { return get("/v1/orgs/personal/machines").body.at("machines").as_array().size() == 2; }, "both are listed");
  emulator().addFault(fault("GET", "/v1/orgs/*/machines", {{"error_regions", {"fra"}}}));
  const FlyResponse partial = get("/v1/orgs/personal/machines");
  EXPECT_EQ(partial.status, 200);
  EXPECT_EQ(partial.at("/error_regions"), R"(["fra"])");
  ASSERT_EQ(partial.body.at("machines").as_array().size(), 1u) << partial;
  EXPECT_EQ(partial.at("/machines/0/id"), here.id);
  const FlyResponse whole = get("/v1/orgs/personal/machines");
  EXPECT_EQ(whole.body.at("machines").as_array().size(), 2u);
  EXPECT_TRUE(whole.at("/error_regions") == "(missing)" || whole.at("/error_regions") == "[]") << whole;
}

TEST_P(FlyRules, case107_aBadGatewayAnswersWithAPage) {
  createApp();
  emulator().addFault(fault("GET", "/v1/apps/*", {{"error", "E32"}}));
  const FlyResponse response = get("/v1/apps/a1");
  EXPECT_EQ(response.status, 502);
  EXPECT_TRUE(response.text.starts_with("<html>")) << response;
  EXPECT_TRUE(response.header("content-type").starts_with("text/html")) << response.header("content-type");
  EXPECT_EQ(get("/v1/apps/a1").status, 200);
}

TEST_P(FlyRules, faultsAreAddedAndClearedOverTheAdminRoute) {
  createApp();
  json::object forever = fault("GET", "/v1/apps/*", {{"status", 503}, {"body", ""}});
  forever["count"] = -1;
  const FlyResponse added = post("/emulator/faults", forever);
  EXPECT_LT(added.status, 300) << added;
  EXPECT_EQ(get("/v1/apps/a1").status, 503);
  EXPECT_EQ(get("/v1/apps/a1").status, 503);
  EXPECT_LT(remove("/emulator/faults").status, 300);
  EXPECT_EQ(get("/v1/apps/a1").status, 200);
  EXPECT_EQ(post("/emulator/faults", R"({"effect":{"no_such_effect":1}})").status, 400);
}

struct CatalogueRow {
  const char* name;
  std::vector<int> statuses;
  const char* text;
  const char* code = "";
};

// §12, row by row.
const std::vector<CatalogueRow> kCatalogue = {
    {"E1", {401}, R"({"error":"Authenticate: token validation error"})"},
    {"E2", {401}, R"({"message":"Unauthorized"})"},
    {"E3", {403}, R"({"error":"unauthorized"})"},
    {"E4", {403}, "which is over the allowed quota. please consider other regions"},
    {"E5", {404}, "404 page not found"},
    {"E6", {404}, "app not found"},
    {"E7", {404}, "machine not found"},
    {"E8", {408}, "deadline_exceeded: machine failed to reach desired state, started, currently created"},
    {"E9", {400}, "invalid_argument: invalid WaitMachineRequest.Timeout: value must be inside range [1s, 1m0s]"},
    {"E10", {412}, "failed_precondition: unable to start machine from current state: 'created'"},
    {"E11", {412}, "failed_precondition: machine getting replaced, refusing to start"},
    {"E12", {412}, "failed_precondition: machine still active, refusing to start"},
    {"E13", {412}, "failed_precondition: machine still attempting to start"},
    {"E14", {412}, "failed_precondition: unable to destroy machine, not currently stopped, suspended, failed or created"},
    {"E15", {409}, "already_exists: unique machine name violation, machine ID "},
    {"E16", {409}, R"("status":"error")"},
    {"E17", {409}, ""},
    {"E18", {409}, "aborted: machine update failed due to concurrent update"},
    {"E19", {409}, "aborted: could not reserve resource for machine: insufficient memory available to fulfill request"},
    {"E20", {409}, "aborted: insufficient IPs available to fulfill request"},
    {"E21", {409}, "aborted: no capacity"},
    {"E22", {422, 503}, "", "insufficient_capacity"},
    {"E23", {412}, "insufficient resources to create new machine with existing volume id '", "volume_placement_capacity"},
    {"E24", {400}, R"({"error":"no capacity"})"},
    {"E25", {412}, "failed_precondition: volume is currently bound to machine: "},
    {"E26", {412}, "volume already claimed by machine "},
    {"E27", {422}, "Validation failed: Name has already been taken", "name_taken"},
    {"E28", {400}, ""},
    {"E29", {412}, "failed_precondition: machine not running"},
    {"E30", {200}, "Rejection([PayloadTooLarge"},
    {"E31", {429}, ""},
    {"E32", {500, 502, 503}, ""},
    {"E33", {400}, R"({"error":"EOF"})"},
    {"E34", {408}, ""},
};

TEST_P(FlyRules, everyRowOfTheErrorCatalogueCanBeInjected) {
  createApp();
  const FlyMachine machine = create(machineRequest());
  for (const CatalogueRow& row : kCatalogue) {
    emulator().addFault(fault("POST", "/v1/apps/*/machines/*/exec", {{"error", row.name}}));
    const FlyResponse response = post(machine.path + "/exec", R"({"command":["true"]})");
    EXPECT_TRUE(std::ranges::find(row.statuses, response.status) != row.statuses.end()) << row.name << ": " << response;
    EXPECT_TRUE(response.text.contains(row.text)) << row.name << ": " << response;
    if (*row.code) EXPECT_EQ(response.at("/status"), row.code) << row.name;
  }
}

}  // namespace
}  // namespace swarm::testing
