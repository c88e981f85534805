// What §2 and §3 document beside the numbered cases: organisation-wide lists, regions, placements, tokens, secrets, network policies,
// events.
#include <set>

#include "base/text/format.h"
#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

constexpr const char* kOrgMachines = "/v1/orgs/personal/machines";
constexpr const char* kSecrets = "/v1/apps/a1/secrets";

std::set<std::string> idsIn(const FlyResponse& page, const char* member) {
  std::set<std::string> ids;
  for (const json::value& one : page.body.at(member).as_array()) ids.insert(textAt(one, "/id"));
  return ids;
}

TEST_P(FlyRules, anOrganisationsMachinesAreListedOverAllItsApps) {
  createApp("a1");
  createApp("a2");
  const FlyMachine one = started(machineRequest(configWith("metadata", {{"k", "v"}})));
  const FlyMachine two = started(machineRequest(), "a2");
  const FlyResponse list = get(kOrgMachines);
  EXPECT_EQ(list.status, 200) << list;
  EXPECT_EQ(idsIn(list, "machines"), (std::set<std::string>{one.id, two.id}));
  for (const json::value& machine : list.body.at("machines").as_array()) {
    const bool is_one = textAt(machine, "/id") == one.id;
    EXPECT_EQ(textAt(machine, "/app_name"), is_one ? "a1" : "a2");
    EXPECT_EQ(textAt(machine, "/state"), "started");
    EXPECT_EQ(textAt(machine, "/version"), is_one ? one.version : two.version);
    if (is_one) EXPECT_EQ(textAt(machine, "/config/metadata/k"), "v");
  }
  EXPECT_EQ(get(std::string(kOrgMachines) + "?summary=true").at("/machines/0/config"), "(missing)");
  EXPECT_EQ(idsIn(get(std::string(kOrgMachines) + "?region=fra"), "machines"), std::set<std::string>{});
  EXPECT_EQ(idsIn(get(std::string(kOrgMachines) + "?state=started"), "machines").size(), 2u);
}

TEST_P(FlyRules, anOrganisationsListGoesOnBehindItsCursor) {
  createApp();
  std::set<std::string> made;
  for (int i = 0; i < 3; ++i) made.insert(started().id);
  std::set<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 10; ++page) {
    const FlyResponse response =
        get(std::string(kOrgMachines) + "?limit=2" + (cursor.empty() ? "" : "&cursor=" + net::percentEncode(cursor)));
    ASSERT_EQ(response.status, 200) << response;
    EXPECT_LE(response.body.at("machines").as_array().size(), 2u);
    seen.merge(idsIn(response, "machines"));
    cursor = response.at("/next_cursor");
    if (cursor == "(missing)" || cursor.empty()) break;
  }
  EXPECT_EQ(seen, made);
}

TEST_P(FlyRules, anOrganisationsListLeavesOutWhatDidNotChange) {
  createApp();
  const FlyMachine old = started();
  clock.advance(std::chrono::minutes(10));
  const std::string since = formatTime(clock.now() - std::chrono::minutes(5));
  const FlyMachine fresh = started();
  EXPECT_EQ(idsIn(get(std::string(kOrgMachines) + "?updated_after=" + since), "machines"), std::set<std::string>{fresh.id});
  stop(old);
  EXPECT_EQ(idsIn(get(std::string(kOrgMachines) + "?updated_after=" + since), "machines").size(), 2u);
}

TEST_P(FlyRules, anOrganisationsListHasDestroyedMachinesOnRequest) {
  createApp();
  const FlyMachine machine = started();
  ASSERT_EQ(remove(machine.path + "?force=true").status, 200);
  waitFor(machine, "destroyed");
  EXPECT_EQ(idsIn(get(kOrgMachines), "machines"), std::set<std::string>{});
  EXPECT_EQ(idsIn(get(std::string(kOrgMachines) + "?include_deleted=true"), "machines"), std::set<std::string>{machine.id});
}

TEST_P(FlyRules, anOrganisationsVolumesAreListedOverAllItsApps) {
  createApp("a1");
  createApp("a2");
  const std::string one = createVolume();
  const std::string two = createVolume(R"({"name":"data","region":"fra","size_gb":2})", "a2");
  const FlyResponse list = get("/v1/orgs/personal/volumes");
  EXPECT_EQ(idsIn(list, "volumes"), (std::set<std::string>{one, two})) << list;
  EXPECT_EQ(idsIn(get("/v1/orgs/personal/volumes?region=fra"), "volumes"), std::set<std::string>{two});
  for (const json::value& volume : list.body.at("volumes").as_array()) {
    EXPECT_EQ(textAt(volume, "/app_name"), textAt(volume, "/id") == one ? "a1" : "a2");
  }
}

TEST_P(FlyRules, anotherOrganisationsListIsNotShown) {
  createApp();
  started();
  const FlyResponse response = get("/v1/orgs/elsewhere/machines");
  EXPECT_GE(response.status, 400) << response;
  EXPECT_FALSE(response.text.contains("\"id\"")) << response;
}

TEST_P(FlyRules, regionsAreListedWithTheNearest) {
  const FlyResponse response = get("/v1/platform/regions");
  EXPECT_EQ(response.status, 200) << response;
  std::set<std::string> codes;
  for (const json::value& region : response.body.at("regions").as_array()) {
    codes.insert(textAt(region, "/code"));
    EXPECT_NE(textAt(region, "/name"), "(missing)");
  }
  for (const std::string& code : options.regions) EXPECT_TRUE(codes.contains(code)) << code;
  EXPECT_TRUE(codes.contains(response.at("/nearest"))) << response.at("/nearest");
}

TEST_P(FlyRules, placementsShowWhereMachinesWouldFit) {
  options.capacity.hostsPerRegion = 1;
  options.capacity.hostInRegion["ams"] = {.memoryMb = 256, .cpus = 0};
  createApp();
  const std::string probe = R"({"org_slug":"personal","region":"ams","count":1,"compute":{"cpu_kind":"shared","cpus":1,"memory_mb":256}})";
  const FlyResponse room = post("/v1/platform/placements", probe);
  EXPECT_EQ(room.status, 200) << room;
  EXPECT_EQ(room.at("/regions/0/region"), "ams");
  EXPECT_EQ(room.at("/regions/0/count"), "1");
  started();
  const FlyResponse full = post("/v1/platform/placements", probe);
  for (const json::value& region :
       full.body.is_object() && full.body.as_object().contains("regions") ? full.body.at("regions").as_array() : json::array()) {
    EXPECT_TRUE(textAt(region, "/region") != "ams" || textAt(region, "/count") == "0") << full;
  }
}

TEST_P(FlyRules, aTokenIdentifiesItsOwner) {
  const FlyResponse response = get("/v1/tokens/current");
  EXPECT_EQ(response.status, 200) << response;
  EXPECT_EQ(response.at("/tokens/0/org_slug"), "personal");
  EXPECT_EQ(send({"GET", "/v1/tokens/current", {}, {}, "Bearer bad"}).status, 401);
}

TEST_P(FlyRules, secretsAreSetListedAndUnset) {
  createApp();
  const FlyResponse set = post(kSecrets, R"({"values":{"K":"djE=","L":"djI="}})");
  EXPECT_EQ(set.status, 200) << set;
  EXPECT_NE(set.at("/version"), "(missing)");
  const FlyResponse list = get(kSecrets);
  ASSERT_EQ(list.body.at("secrets").as_array().size(), 2u) << list;
  EXPECT_NE(list.at("/secrets/0/digest"), "(missing)");
  EXPECT_FALSE(list.text.contains("djE=")) << "a value is shown only on request";
  EXPECT_EQ(get(std::string(kSecrets) + "/K?show_secrets=true").at("/value"), "djE=");
  const FlyResponse unset = post(kSecrets, R"({"values":{"K":null}})");
  EXPECT_EQ(unset.status, 200) << unset;
  EXPECT_GT(unset.body.at("version").to_number<std::int64_t>(), set.body.at("version").to_number<std::int64_t>());
  const FlyResponse left = get(kSecrets);
  ASSERT_EQ(left.body.at("secrets").as_array().size(), 1u) << left;
  EXPECT_EQ(left.at("/secrets/0/name"), "L");
}

TEST_P(FlyRules, oneSecretIsSetReadAndRemoved) {
  createApp();
  const FlyResponse set = post(std::string(kSecrets) + "/K", R"({"value":"djE="})");
  EXPECT_EQ(set.status, 201) << set;
  EXPECT_EQ(get(std::string(kSecrets) + "/K").at("/name"), "K");
  EXPECT_EQ(remove(std::string(kSecrets) + "/K").status, 200);
  EXPECT_EQ(get(std::string(kSecrets) + "/K").status, 404);
}

TEST_P(FlyRules, networkPoliciesAreKept) {
  createApp();
  const std::string policies = "/v1/apps/a1/network_policies";
  const FlyResponse made = post(
      policies,
      R"({"name":"p","selector":{"all":true},"rules":[{"action":"allow","direction":"egress","ports":[{"protocol":"tcp","port":443}]}]})");
  EXPECT_LT(made.status, 300) << made;
  const FlyResponse list = get(policies);
  EXPECT_EQ(list.status, 200);
  EXPECT_TRUE(list.text.contains("\"egress\"")) << list;
  EXPECT_LT(remove(policies + "/" + made.at("/id")).status, 300) << made;
  EXPECT_FALSE(get(policies).text.contains("\"egress\""));
}

TEST_P(FlyRules, eventsAreLimitedToTwentyByDefault) {
  createApp();
  const FlyMachine machine = started();
  for (int i = 0; i < 10; ++i) {
    stop(machine);
    ASSERT_EQ(post(machine.path + "/start").status, 200);
    waitFor(machine, "started");
  }
  EXPECT_EQ(get(machine.path + "/events").body.as_array().size(), 20u);
  EXPECT_EQ(get(machine.path + "/events?limit=5").body.as_array().size(), 5u);
  EXPECT_GT(get(machine.path + "/events?limit=50").body.as_array().size(), 20u);
}

TEST_P(FlyRules, aCordonIsShownAndLifted) {
  createApp();
  const FlyMachine machine = started();
  EXPECT_EQ(post(machine.path + "/cordon").at("/ok"), "true");
  EXPECT_EQ(textAt(show(machine), "/cordoned"), "true");
  EXPECT_EQ(post(machine.path + "/uncordon").at("/ok"), "true");
  EXPECT_NE(textAt(show(machine), "/cordoned"), "true");
}

TEST_P(FlyRules, aStartOfAMachineThatIsBeingLaunchedIsRefused) {
  options.times.start = std::chrono::hours(1);
  createApp();
  const FlyMachine machine = create(machineRequest());
  eventually([&] { return state(machine) == "starting"; }, "it is starting");
  const FlyResponse response = post(machine.path + "/start");
  EXPECT_EQ(response.status, 412) << response;
  EXPECT_TRUE(response.error().starts_with("failed_precondition: ")) << response;
}

TEST_P(FlyRules, aConfigurationIsGivenBackWholeSoThatItCanBeReadPatchedAndWritten) {
  createApp();
  json::object config = configWith("services", json::array{{{"protocol", "tcp"},
                                                            {"internal_port", 7777},
                                                            {"autostop", "off"},
                                                            {"autostart", false},
                                                            {"ports", json::array{{{"port", 443}, {"handlers", {"tls", "http"}}}}}}});
  config["stop_config"] = json::object{{"signal", "SIGTERM"}, {"timeout", "10s"}};
  config["checks"] = json::object{{"ready", {{"type", "http"}, {"port", 7777}, {"path", "/health"}, {"interval", "10s"}}}};
  config["env"] = json::object{{"A", "1"}};
  const FlyMachine machine = started(machineRequest(config));
  json::value shown = show(machine);
  // Responses have booleans for "off" and "stop", as older clients expect.
  config.at("services").at(0).as_object()["autostop"] = false;
  for (const auto& member : config)
    EXPECT_EQ(json::serialize(shown.at("config").at(member.key())), json::serialize(member.value())) << member.key();
  shown.at("config").at("env").as_object()["B"] = "2";
  const FlyResponse updated = post(machine.path, json::object{{"config", shown.at("config")}});
  ASSERT_EQ(updated.status, 200) << updated;
  const json::value after = show(machine);
  EXPECT_EQ(textAt(after, "/config/env/B"), "2");
  EXPECT_EQ(textAt(after, "/config/checks/ready/path"), "/health");
  EXPECT_EQ(textAt(after, "/config/services/0/internal_port"), "7777");
}

}  // namespace
}  // namespace swarm::testing
