// Cases 89 to 97: volumes. Their content is tested in process_test.cc.
#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

constexpr const char* kVolumes = "/v1/apps/a1/volumes";

std::string pathOfVolume(const std::string& id) { return std::string(kVolumes) + "/" + id; }

TEST_P(FlyRules, case089_aVolumeIsCreatedEncryptedAndFree) {
  createApp();
  const FlyResponse made = post(kVolumes, R"({"name":"data","region":"ams","size_gb":1})");
  EXPECT_EQ(made.status, 200) << made;
  EXPECT_TRUE(made.at("/id").starts_with("vol_")) << made;
  EXPECT_EQ(made.at("/id").size(), 20u) << "vol_ and 16 characters";
  EXPECT_EQ(made.at("/state"), "created");
  EXPECT_EQ(made.at("/name"), "data");
  EXPECT_EQ(made.at("/region"), "ams");
  EXPECT_EQ(made.at("/size_gb"), "1");
  EXPECT_EQ(made.at("/encrypted"), "true");
  EXPECT_EQ(made.at("/attached_machine_id"), "null");
  EXPECT_EQ(made.at("/snapshot_retention"), "5");
  EXPECT_EQ(get(pathOfVolume(made.at("/id"))).at("/id"), made.at("/id"));
  EXPECT_EQ(get(kVolumes).at("/0/id"), made.at("/id"));
}

TEST_P(FlyRules, case090_aVolumesNameIsLowercaseAndShort) {
  createApp();
  for (const std::string& name : {std::string("Data-1"), std::string(31, 'a')}) {
    const FlyResponse response = post(kVolumes, json::object{{"name", name}, {"region", "ams"}, {"size_gb", 1}});
    EXPECT_EQ(response.status, 400) << response;
    EXPECT_TRUE(response.error().contains("name only allows lowercase alphanumeric characters and underscores with at most 30 characters"))
        << response;
  }
  EXPECT_EQ(get(kVolumes).text.find("vol_"), std::string::npos);
  EXPECT_EQ(post(kVolumes, json::object{{"name", std::string(30, 'a')}, {"region", "ams"}, {"size_gb", 1}}).status, 200);
}

TEST_P(FlyRules, case091_aVolumeWithoutASizeHasThreeGigabytes) {
  createApp();
  EXPECT_EQ(post(kVolumes, R"({"name":"data","region":"ams"})").at("/size_gb"), "3");
}

TEST_P(FlyRules, case092_aVolumeGrowsAndNeverShrinks) {
  createApp();
  const std::string volume = pathOfVolume(createVolume());
  const FlyResponse extended = put(volume + "/extend", R"({"size_gb":2})");
  EXPECT_EQ(extended.status, 200) << extended;
  EXPECT_TRUE(extended.at("/needs_restart") == "true" || extended.at("/needs_restart") == "false") << extended;
  EXPECT_EQ(extended.at("/volume/size_gb"), "2");
  const FlyResponse smaller = put(volume + "/extend", R"({"size_gb":1})");
  EXPECT_GE(smaller.status, 400) << smaller;
  EXPECT_LT(smaller.status, 500) << smaller;
  EXPECT_EQ(get(volume).at("/size_gb"), "2");
}

TEST_P(FlyRules, case093_anAttachedVolumeIsNotDeletedUntilItsMachineIsGoneForAWhile) {
  options.times.volumeUnbind = std::chrono::minutes(3);
  createApp();
  const std::string id = createVolume();
  const std::string volume = pathOfVolume(id);
  const FlyMachine machine = started(mounting(id));
  const auto expectBound = [&] {
    const FlyResponse response = remove(volume);
    EXPECT_EQ(response.status, 412) << response;
    EXPECT_EQ(response.error(), "failed_precondition: volume is currently bound to machine: " + machine.id);
  };
  expectBound();
  ASSERT_EQ(remove(machine.path + "?force=true").status, 200);
  waitFor(machine, "destroyed");
  expectBound();
  const FlyResponse too_soon = post("/v1/apps/a1/machines", mounting(id));
  EXPECT_EQ(too_soon.status, 412) << too_soon;
  EXPECT_TRUE(too_soon.error().contains("volume already claimed by machine " + machine.id)) << too_soon;
  clock.advance(std::chrono::minutes(3));
  const FlyResponse deleted = remove(volume);
  EXPECT_EQ(deleted.status, 200) << deleted;
  EXPECT_EQ(deleted.at("/state"), "pending_destroy");
  const FlyResponse list = get(kVolumes);
  if (!list.body.as_array().empty()) EXPECT_EQ(list.at("/0/state"), "pending_destroy") << list;
}

TEST_P(FlyRules, case096_aSnapshotIsTakenAndListed) {
  createApp();
  const std::string volume = pathOfVolume(createVolume());
  const FlyResponse taken = post(volume + "/snapshots");
  EXPECT_EQ(taken.status, 200) << taken;
  eventually([&] { return get(volume + "/snapshots").at("/0/status") == "created"; }, "the snapshot is complete");
  const FlyResponse list = get(volume + "/snapshots");
  ASSERT_EQ(list.body.as_array().size(), 1u) << list;
  EXPECT_TRUE(list.at("/0/id").starts_with("vs_")) << list;
  EXPECT_GE(list.body.at_pointer("/0/size").to_number<std::int64_t>(), 0);
  EXPECT_NE(list.at("/0/digest"), "(missing)");
  EXPECT_NE(list.at("/0/digest"), "");
  EXPECT_EQ(list.at("/0/retention_days"), "5") << "the volume's";
}

TEST_P(FlyRules, case097_snapshotsAreKeptFromOneDayToSixty) {
  createApp();
  const std::string volume = pathOfVolume(createVolume());
  for (const char* days : {"0", "61"}) {
    const FlyResponse response = put(volume, std::string(R"({"snapshot_retention":)") + days + "}");
    EXPECT_GE(response.status, 400) << response;
    EXPECT_LT(response.status, 500) << response;
    EXPECT_EQ(get(volume).at("/snapshot_retention"), "5");
  }
  const FlyResponse seven = put(volume, R"({"snapshot_retention":7})");
  EXPECT_EQ(seven.status, 200) << seven;
  EXPECT_EQ(seven.at("/snapshot_retention"), "7");
  EXPECT_EQ(get(volume).at("/snapshot_retention"), "7");
}

}  // namespace
}  // namespace swarm::testing
