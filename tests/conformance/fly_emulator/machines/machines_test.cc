// Cases 27 to 41: creating, finding and listing Machines.
#include <regex>
#include <set>

#include "base/text/format.h"
#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

bool matches(const std::string& text, const char* pattern) { return std::regex_match(text, std::regex(pattern)); }

std::set<std::string> idsIn(const FlyResponse& list) {
  std::set<std::string> ids;
  for (const json::value& machine : list.body.as_array()) ids.insert(textAt(machine, "/id"));
  return ids;
}

TEST_P(FlyRules, case027_aMachineIsCreatedWithItsIdentifiersAndFirstEvent) {
  createApp();
  const FlyResponse made = post(kMachines, machineRequest());
  EXPECT_EQ(made.status, 200) << made;
  EXPECT_TRUE(matches(made.at("/id"), "[0-9a-f]{14}")) << made.at("/id");
  EXPECT_EQ(made.at("/state"), "created");
  EXPECT_EQ(made.at("/region"), "ams");
  EXPECT_EQ(made.at("/instance_id").size(), 26u);
  EXPECT_EQ(made.at("/instance_id"), made.at("/version"));
  EXPECT_TRUE(made.at("/private_ip").starts_with("fdaa:")) << made.at("/private_ip");
  EXPECT_EQ(made.at("/events/0/type"), "launch");
  EXPECT_EQ(made.at("/events/0/status"), "created");
  EXPECT_EQ(made.at("/events/0/source"), "user");
  EXPECT_EQ(made.at("/config/image"), GetParam().image());
  EXPECT_EQ(made.at("/config/guest/memory_mb"), "256");
}

TEST_P(FlyRules, case027_aMachineWithoutANameGetsOneAndItsTimesAreWrittenAsFlyWritesThem) {
  createApp();
  const FlyResponse made = post(kMachines, machineRequest());
  EXPECT_TRUE(matches(made.at("/name"), "[a-z]+-[a-z]+-[0-9]{1,4}")) << made.at("/name");
  EXPECT_TRUE(matches(made.at("/created_at"), R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")) << made.at("/created_at");
  const auto now = clock.now().time_since_epoch().count();
  const auto stamp = made.body.at_pointer("/events/0/timestamp").to_number<std::int64_t>();
  EXPECT_LE(stamp, now) << "milliseconds since 1970";
  EXPECT_GT(stamp, now - 600'000);
}

TEST_P(FlyRules, case028_aCreatedMachineStartsAutomatically) {
  createApp();
  const FlyMachine machine = started();
  const json::value shown = show(machine);
  EXPECT_EQ(textAt(shown, "/state"), "started");
  EXPECT_EQ(textAt(shown, "/events/0/type"), "start");
  EXPECT_EQ(textAt(shown, "/events/0/status"), "started");
  EXPECT_EQ(textAt(shown, "/events/0/source"), "flyd");
}

TEST_P(FlyRules, case029_aMachineThatIsNotLaunchedStaysCreated) {
  createApp();
  json::object request = machineRequest();
  request["skip_launch"] = true;
  const FlyMachine machine = create(request);
  const FlyResponse waited = get(machine.path + "/wait?state=started&timeout=1");
  EXPECT_EQ(waited.status, 408) << waited;
  EXPECT_TRUE(waited.error().contains("deadline_exceeded: machine failed to reach desired state, started, currently created")) << waited;
  EXPECT_EQ(state(machine), "created");
}

TEST_P(FlyRules, case031_aGuestOutsideOfFlysSizesIsRefused) {
  createApp();
  const auto refusal = [&](const char* kind, int cpus, int memory) {
    const FlyResponse response =
        post(kMachines, machineRequest(configWith("guest", {{"cpu_kind", kind}, {"cpus", cpus}, {"memory_mb", memory}})));
    EXPECT_EQ(response.status, 400) << response;
    return response.error();
  };
  EXPECT_TRUE(refusal("shared", 1, 128).contains("minimum required"));
  EXPECT_TRUE(refusal("shared", 1, 3072).contains("cannot exceed 2048 MiB"));
  EXPECT_TRUE(refusal("shared", 3, 1024).contains("must be one of [1 2 4 6 8]"));
  EXPECT_TRUE(refusal("performance", 1, 1024).contains("minimum required"));
  EXPECT_EQ(get(kMachines).text.find("\"id\""), std::string::npos) << "nothing was created";
}

TEST_P(FlyRules, case032_aMachineHasOneMountAtMost) {
  createApp();
  const std::string one = createVolume(), two = createVolume();
  const FlyResponse response = post(
      kMachines, machineRequest(configWith("mounts", json::array{{{"volume", one}, {"path", "/a"}}, {{"volume", two}, {"path", "/b"}}})));
  EXPECT_EQ(response.status, 400) << response;
}

TEST_P(FlyRules, case033_aVolumeOfAnotherAppOrAnotherMachineCantBeMounted) {
  createApp();
  createApp("a2");
  const std::string theirs = createVolume(R"({"name":"data","region":"ams","size_gb":1})", "a2");
  const FlyResponse foreign = post(kMachines, mounting(theirs));
  EXPECT_GE(foreign.status, 400) << foreign;
  EXPECT_LT(foreign.status, 500) << foreign;
  const std::string mine = createVolume();
  const FlyMachine first = create(mounting(mine));
  const FlyResponse second = post(kMachines, mounting(mine));
  EXPECT_EQ(second.status, 412) << second;
  EXPECT_TRUE(second.error().contains("already claimed by machine " + first.id)) << second;
  EXPECT_EQ(get("/v1/apps/a1/volumes/" + mine).at("/attached_machine_id"), first.id);
  EXPECT_EQ(idsIn(get(kMachines)), std::set<std::string>{first.id});
}

TEST_P(FlyRules, case034_aNameIsUniqueInItsApp) {
  createApp();
  createApp("a2");
  json::object request = machineRequest();
  request["name"] = "w1";
  const FlyMachine first = create(request);
  const FlyResponse again = post(kMachines, request);
  EXPECT_EQ(again.status, 409) << again;
  EXPECT_EQ(again.error(),
            format("already_exists: unique machine name violation, machine ID {} already exists with name \"w1\"", first.id));
  EXPECT_EQ(idsIn(get(kMachines)).size(), 1u);
  EXPECT_EQ(post("/v1/apps/a2/machines", request).status, 200) << "another app, another name space";
}

TEST_P(FlyRules, case035_aLeaseCanBeTakenByTheCreateItself) {
  createApp();
  json::object request = machineRequest();
  request["lease_ttl"] = 30;
  const FlyResponse made = post(kMachines, request);
  const std::string nonce = made.at("/nonce");
  EXPECT_NE(nonce, "(missing)") << made;
  const FlyMachine machine{made.at("/id"), made.at("/instance_id"), std::string(kMachines) + "/" + made.at("/id")};
  waitFor(machine, "started");
  const std::string update = json::serialize(json::object{{"config", configWith("env", {{"A", "1"}})}});
  EXPECT_EQ(post(machine.path, update).status, 409);
  EXPECT_EQ(postWithNonce(machine.path, "000000000000", update).status, 409);
  EXPECT_EQ(textAt(show(machine), "/instance_id"), machine.version) << "nothing has changed";
  const FlyResponse with = postWithNonce(machine.path, nonce, update);
  EXPECT_EQ(with.status, 200) << with;
}

TEST_P(FlyRules, case036_aListIsFilteredByStateRegionAndMetadata) {
  createApp();
  json::object request = machineRequest(configWith("metadata", {{"k", "v"}, {"l", "w"}}));
  const FlyMachine stays = started(request);
  const FlyMachine stops = stopped(machineRequest(configWith("metadata", {{"k", "v"}})));
  json::object elsewhere = machineRequest();
  elsewhere["region"] = "fra";
  const FlyMachine far = started(elsewhere);
  using Ids = std::set<std::string>;
  const std::string list = kMachines;
  EXPECT_EQ(idsIn(get(list)), (Ids{stays.id, stops.id, far.id}));
  EXPECT_EQ(idsIn(get(list + "?state=stopped")), Ids{stops.id});
  EXPECT_EQ(idsIn(get(list + "?state=started,stopped")), (Ids{stays.id, stops.id, far.id}));
  EXPECT_EQ(idsIn(get(list + "?region=fra")), Ids{far.id});
  EXPECT_EQ(idsIn(get(list + "?metadata.k=v")), (Ids{stays.id, stops.id}));
  EXPECT_EQ(idsIn(get(list + "?metadata.k=v&metadata.l=w")), Ids{stays.id});
  EXPECT_EQ(idsIn(get(list + "?metadata.k=V")), Ids{}) << "the exact value";
  EXPECT_EQ(idsIn(get(list + "?metadata.k=v&state=stopped&region=ams")), Ids{stops.id});
}

TEST_P(FlyRules, case037_machinesAreListedPageByPage) {
  createApp();
  std::set<std::string> made;
  for (int i = 0; i < 3; ++i) made.insert(create(machineRequest()).id);
  std::multiset<std::string> seen;
  std::string cursor;
  int pages = 0;
  do {
    const FlyResponse page = get(std::string(kMachines) + "?limit=1" + (cursor.empty() ? "" : "&cursor=" + net::percentEncode(cursor)));
    ASSERT_EQ(page.status, 200) << page;
    EXPECT_LE(page.body.as_array().size(), 1u);
    for (const std::string& id : idsIn(page)) seen.insert(id);
    cursor = page.header("fly-next-cursor");
  } while (!cursor.empty() && ++pages < 10);
  EXPECT_EQ(seen, std::multiset<std::string>(made.begin(), made.end()));
  EXPECT_GE(pages, 2);
  EXPECT_EQ(get(kMachines).header("fly-next-cursor"), "") << "all of them are on one page";
}

TEST_P(FlyRules, case038_aSummaryLeavesTheBulkOut) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse response = get(std::string(kMachines) + "?summary=true");
  ASSERT_EQ(response.body.as_array().size(), 1u) << response;
  EXPECT_EQ(response.at("/0/id"), machine.id);
  EXPECT_EQ(response.at("/0/state"), "started");
  for (const char* bulk : {"/0/config", "/0/events", "/0/checks"}) {
    EXPECT_TRUE(response.at(bulk) == "(missing)" || response.at(bulk) == "null") << bulk << response.at(bulk);
  }
}

TEST_P(FlyRules, case039_destroyedMachinesAreListedOnlyOnRequest) {
  createApp();
  const FlyMachine machine = started();
  ASSERT_EQ(remove(machine.path + "?force=true").status, 200);
  waitFor(machine, "destroyed");
  EXPECT_EQ(idsIn(get(kMachines)), std::set<std::string>{});
  const FlyResponse all = get(std::string(kMachines) + "?include_deleted=true");
  EXPECT_EQ(idsIn(all), std::set<std::string>{machine.id});
  EXPECT_EQ(all.at("/0/state"), "destroyed");
}

TEST_P(FlyRules, case040_anUnknownMachineIsNotFound) {
  createApp();
  const FlyResponse response = get(std::string(kMachines) + "/1857156b526dd8");
  EXPECT_EQ(response.status, 404);
  EXPECT_TRUE(response.error().contains("machine not found")) << response;
}

TEST_P(FlyRules, case041_anOldVersionIsReplaced) {
  createApp();
  const FlyMachine machine = started();
  const FlyResponse updated = post(machine.path, json::object{{"config", configWith("env", {{"A", "1"}})}});
  ASSERT_EQ(updated.status, 200) << updated;
  const FlyResponse old = get(machine.path + "?version=" + machine.version);
  EXPECT_EQ(old.status, 200) << old;
  EXPECT_EQ(old.at("/state"), "replaced");
  EXPECT_EQ(old.at("/instance_id"), machine.version);
  EXPECT_EQ(old.at("/config/env"), "(missing)") << "its own configuration";
  EXPECT_NE(get(machine.path + "?version=" + updated.at("/instance_id")).at("/state"), "replaced");
}

}  // namespace
}  // namespace swarm::testing
