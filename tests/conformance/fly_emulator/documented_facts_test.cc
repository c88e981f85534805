// Facts of the reference without a numbered case on which clients rely: bodies, regions, quotas, updates, leases, limits.
#include <boost/json/serialize.hpp>
#include <map>
#include <regex>
#include <set>

#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

// §1
TEST_P(FlyRules, aMissingBodyIsAnEndOfFile) {
  createApp();
  const std::string volume = "/v1/apps/a1/volumes/" + createVolume();
  const std::vector<FlyRequest> requests = {{"POST", "/v1/apps"},
                                            {"POST", kMachines},
                                            {"POST", "/v1/apps/a1/volumes"},
                                            {"POST", "/v1/apps/a1/secrets"},
                                            {"PUT", volume + "/extend"}};
  for (const FlyRequest& request : requests) {
    const FlyResponse response = send(request);
    EXPECT_EQ(response.status, 400) << request.target;
    EXPECT_EQ(response.error(), "EOF") << request.target;
  }
}

TEST_P(FlyRules, aWrongTypeInsideAConfigurationIsAnsweredInGosWords) {
  createApp();
  json::object guest = config();
  guest["guest"] = json::object{{"cpus", "two"}};
  const FlyResponse response = post(kMachines, machineRequest(guest));
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.error().find("cannot unmarshal string into Go struct field MachineConfig.config.guest.cpus of type int"),
            std::string::npos)
      << response;
  EXPECT_EQ(post(kMachines, machineRequest(configWith("mounts", json::object{}))).status, 400);
  EXPECT_EQ(post(kMachines, machineRequest(configWith("init", nullptr))).status, 200) << "null is not given";
}

/// The format of Go clients: no leading zeros, and one run of zeros abbreviated.
TEST_P(FlyRules, addressesAreWrittenAsGoWritesThem) {
  createApp();
  static const std::regex kPlain("^(?!.*:0[0-9a-f]).*$");
  for (const char* type : {"v6", "private_v6"}) {
    const std::string address = post("/v1/apps/a1/ip_assignments", json::object{{"type", type}, {"region", ""}}).at("/ip");
    EXPECT_TRUE(std::regex_match(address, kPlain)) << address;
  }
  EXPECT_EQ(post("/v1/apps/a1/ip_assignments", json::object{{"type", "shared_v4"}, {"region", ""}}).status, 200) << "empty is not given";
  const std::string address = textAt(show(started()), "/private_ip");
  EXPECT_TRUE(std::regex_match(address, kPlain)) << address;
}

TEST_P(FlyRules, anAppIsDeletedWithItsRunningMachinesAndPlacementsWithoutACountSayHowManyFit) {
  createApp();
  started();
  EXPECT_EQ(remove("/v1/apps/a1").status, 202);
  const FlyResponse room = post("/v1/platform/placements", json::object{{"org_slug", "personal"}, {"count", 0}});
  EXPECT_EQ(room.status, 200) << room;
  EXPECT_GT(room.body.at("regions").as_array().at(0).at("count").to_number<int>(), 1);
}

// §1
TEST_P(FlyRules, aWrongTypeIsAnsweredInGosWords) {
  createApp();
  for (const std::string& target : {std::string("/v1/apps"), std::string(kMachines), std::string("/v1/apps/a1/volumes")}) {
    const FlyResponse response = post(target, "[]");
    EXPECT_EQ(response.status, 400) << target << response;
    EXPECT_TRUE(response.error().starts_with("json: cannot unmarshal array into Go value of type ")) << response;
  }
}

// §12 E3: for every call below the app.
TEST_P(FlyRules, nothingOfAnotherOrganisationsAppCanBeTouched) {
  createApp();
  const FlyMachine machine = started();
  const std::string theirs = std::string("Bearer ") + kOtherToken;
  for (const FlyRequest& request : std::vector<FlyRequest>{{"DELETE", "/v1/apps/a1?force=true"},
                                                           {"GET", kMachines},
                                                           {"POST", kMachines, json::serialize(machineRequest())},
                                                           {"GET", machine.path},
                                                           {"POST", machine.path + "/stop"},
                                                           {"DELETE", machine.path + "?force=true"},
                                                           {"GET", "/v1/apps/a1/secrets"},
                                                           {"GET", "/v1/apps/a1/volumes"}}) {
    FlyRequest foreign = request;
    foreign.authorization = theirs;
    const FlyResponse response = send(foreign);
    EXPECT_EQ(response.status, 403) << request.method << " " << request.target << ": " << response;
  }
  EXPECT_EQ(state(machine), "started");
}

// §2: fly-go decodes an App from the response.
TEST_P(FlyRules, aCreatedAppIsAnsweredWholeForFlysOwnClient) {
  const FlyResponse made = post("/v1/apps?wait=true", R"({"name":"a1","org_slug":"personal","network":"n1"})");
  ASSERT_EQ(made.status, 201) << made;
  EXPECT_EQ(made.at("/name"), "a1");
  EXPECT_EQ(made.at("/network"), "n1");
  EXPECT_EQ(made.at("/organization/slug"), "personal");
  EXPECT_GT(made.body.at("created_at").to_number<std::int64_t>(), 1'600'000'000) << "seconds since 1970";
}

// §3: a list of regions or an alias.
TEST_P(FlyRules, aRegionMayBeAnExpression) {
  createApp();
  const auto regionFor = [&](const char* expression) {
    json::object request = machineRequest();
    request["region"] = expression;
    const FlyResponse response = post(kMachines, request);
    EXPECT_EQ(response.status, 200) << expression << response;
    return response.at("/region");
  };
  using Set = std::set<std::string>;
  EXPECT_TRUE((Set{"fra", "iad"}.contains(regionFor("fra,iad"))));
  EXPECT_TRUE((Set{"ams", "fra"}.contains(regionFor("eu"))));
  EXPECT_TRUE((Set{"iad"}.contains(regionFor("us"))));
  EXPECT_TRUE((Set{"ams", "fra", "iad"}.contains(regionFor("any"))));
  json::object nowhere = machineRequest();
  nowhere.erase("region");
  EXPECT_TRUE((Set{"ams", "fra", "iad"}.contains(post(kMachines, nowhere).at("/region"))));
  EXPECT_GE(post("/v1/apps/a1/volumes", R"({"name":"data","region":"eu","size_gb":1})").status, 400) << "not for volumes";
}

// §3: the regions of an alias.
TEST_P(FlyRules, eachContinentsAliasMeansItsRegions) {
  options.regions = {"ams", "iad", "gru", "sin"};
  createApp();
  const std::vector<std::pair<const char*, const char*>> expected = {
      {"eu", "ams"}, {"na", "iad"}, {"usa", "iad"}, {"sa", "gru"}, {"apac", "sin"}};
  for (const auto& [alias, region] : expected) {
    json::object request = machineRequest();
    request["region"] = alias;
    EXPECT_EQ(post(kMachines, request).at("/region"), region) << alias;
  }
}

// §7
TEST_P(FlyRules, aVolumeHasAFileSystemOrNone) {
  createApp();
  for (const char* kind : {"ext4", "raw"}) {
    const FlyResponse made =
        post("/v1/apps/a1/volumes", json::object{{"name", "data"}, {"region", "ams"}, {"size_gb", 1}, {"fstype", kind}});
    EXPECT_EQ(made.status, 200) << made;
    EXPECT_EQ(made.at("/fstype"), kind);
  }
  const FlyResponse open = post("/v1/apps/a1/volumes", R"({"name":"data","region":"ams","encrypted":false,"snapshot_retention":10})");
  EXPECT_EQ(open.at("/encrypted"), "false");
  EXPECT_EQ(open.at("/snapshot_retention"), "10");
}

// §12 E4
TEST_P(FlyRules, anOrganisationHasAQuotaPerRegion) {
  options.capacity.organizationMemoryMbPerRegion = 512;
  createApp();
  started();
  started();
  const FlyResponse response = post(kMachines, machineRequest());
  EXPECT_EQ(response.status, 403) << response;
  EXPECT_TRUE(
      std::regex_search(response.error(), std::regex("organization \"personal\" is using \\d+ MB of memory in ams which is over the "
                                                     "allowed quota. please consider other regions")))
      << response;
  json::object elsewhere = machineRequest();
  elsewhere["region"] = "fra";
  EXPECT_EQ(post(kMachines, elsewhere).status, 200);
}

// §5
TEST_P(FlyRules, aWaitTakesTheDeprecatedNameOfTheVersionToo) {
  createApp();
  const FlyMachine machine = started();
  EXPECT_EQ(get(machine.path + "/wait?state=started&timeout=5&instance_id=" + machine.version).status, 200);
  EXPECT_EQ(get(kMachines + std::string("/1857156b526dd8/wait?state=started&timeout=1")).status, 404);
}

// §6 and §3
TEST_P(FlyRules, aLeaseIsShownWithoutItsNonce) {
  createApp();
  const FlyMachine machine = started();
  const std::string nonce = lease(machine, R"({"ttl":30,"description":"an update"})");
  EXPECT_TRUE(std::regex_match(nonce, std::regex("[0-9a-f]{12}"))) << nonce;
  EXPECT_EQ(textAt(show(machine), "/lease"), "(missing)");
  const FlyResponse with = get(machine.path + "?include_leases=true");
  EXPECT_EQ(with.at("/lease/owner"), "ada@example.com");
  EXPECT_EQ(with.at("/lease/description"), "an update");
  EXPECT_FALSE(with.text.contains(nonce));
  EXPECT_EQ(get(std::string(kMachines) + "?include_leases=true").at("/0/lease/owner"), "ada@example.com");
}

// §6
TEST_P(FlyRules, aLeaseThatHasEndedMakesRoomForTheNext) {
  createApp();
  const FlyMachine machine = started();
  const std::string first = lease(machine, R"({"ttl":30})");
  clock.advance(std::chrono::seconds(31));
  const std::string second = lease(machine, R"({"ttl":30})");
  EXPECT_NE(first, second);
  EXPECT_EQ(postWithNonce(machine.path + "/stop", first).status, 409);
  EXPECT_EQ(postWithNonce(machine.path + "/stop", second).status, 200);
}

// §1: per action and identifier; a Machine is created in its app.
TEST_P(FlyRules, createsAreLimitedPerApp) {
  options.rateLimits = emulator::RateLimits::On;
  createApp("a1");
  createApp("a2");
  clock.freeze();
  int limited = 0;
  for (int i = 0; i < 5; ++i) limited += post(kMachines, machineRequest()).status == 429 ? 1 : 0;
  EXPECT_GE(limited, 1);
  EXPECT_EQ(post("/v1/apps/a2/machines", machineRequest()).status, 200);
}

// §1
TEST_P(FlyRules, oneActionsLimitIsNotAnothers) {
  options.rateLimits = emulator::RateLimits::On;
  createApp();
  const FlyMachine machine = started();
  clock.freeze();
  eventually([&] { return post(machine.path + "/stop").status == 429; }, "the limit is met");
  EXPECT_NE(post(machine.path + "/signal", R"({"signal":"SIGUSR1"})").status, 429);
  EXPECT_EQ(get(machine.path).status, 200);
  int limited = 0;
  for (int i = 0; i < 20; ++i) limited += get(machine.path).status == 429 ? 1 : 0;
  EXPECT_GE(limited, 1) << "five per second, ten at once";
}

// §7
TEST_P(FlyRules, aVolumeReportsItsLocation) {
  createApp();
  const FlyResponse volume = get("/v1/apps/a1/volumes/" + createVolume());
  EXPECT_TRUE(std::regex_match(volume.at("/zone"), std::regex("[0-9a-f]{4}"))) << volume;
  EXPECT_EQ(volume.at("/host_status"), "ok");
  EXPECT_EQ(volume.at("/fstype"), "ext4");
  EXPECT_EQ(get("/v1/apps/a1/volumes/vol_0000000000000000").status, 404);
}

// §7
TEST_P(FlyRules, aVolumeInAnotherRegionCantBeMounted) {
  createApp();
  json::object request = mounting(createVolume(R"({"name":"data","region":"fra","size_gb":1})"));
  const FlyResponse response = post(kMachines, request);
  EXPECT_GE(response.status, 400) << response;
  EXPECT_LT(response.status, 500) << response;
  request["region"] = "fra";
  EXPECT_EQ(post(kMachines, request).status, 200);
}

// §2: counts.
TEST_P(FlyRules, anAppCountsItsMachinesAndVolumes) {
  createApp();
  createVolume();
  started();
  const FlyMachine second = started();
  EXPECT_EQ(get("/v1/apps/a1").at("/machine_count"), "2");
  EXPECT_EQ(get("/v1/apps/a1").at("/volume_count"), "1");
  ASSERT_EQ(remove(second.path + "?force=true").status, 200);
  waitFor(second, "destroyed");
  EXPECT_EQ(get("/v1/apps/a1").at("/machine_count"), "1");
}

}  // namespace
}  // namespace swarm::testing
