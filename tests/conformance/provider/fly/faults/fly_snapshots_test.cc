// Fly's own daily snapshots, and readers of them: what they contain, and what closing one never touches.
#include "conformance/provider/fly/faults/fly_snapshots.h"

namespace swarm::testing {
namespace {

TEST_F(FlySnapshots, everyVolumeIsBackedUpEachDayForAsLongAsIsConfigured) {
  makeWorkspace();
  json::value volume = volumes().at(0);
  EXPECT_TRUE(boolAt(volume, "auto_backup_enabled"));
  EXPECT_EQ(integerAt(volume, "snapshot_retention"), 14);
  config_.volumeSnapshotRetentionDays = 61;
  EXPECT_TRUE(errorOf([&] { quickServer(); }));
  config_.volumeSnapshotRetentionDays = 60;
  quickServer();
  remove(wanted_.placeId);
  makeWorkspace();
  EXPECT_EQ(integerAt(volumes().at(0), "snapshot_retention"), 60);
}

TEST_F(FlySnapshots, areListedWithTheirDates) {
  makeWorkspace();
  EXPECT_TRUE(provider_->volumeSnapshots()->isSnapshotId(snapshot_));
  EXPECT_FALSE(provider_->volumeSnapshots()->isSnapshotId(wanted_.placeId.str()));
  std::string second = take();
  openReader();
  std::vector<VolumeSnapshot> all = listed();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(all[0].id == second || all[1].id == second);
  EXPECT_EQ(all[0].expiresAt - all[0].createdAt, std::chrono::days(14));
  EXPECT_GE(all[0].createdAt, all[1].createdAt);
  EXPECT_TRUE(runner_.run(provider_->volumeSnapshots()->listSnapshots(PlaceId("i-none"), {}, soon())).empty());
}

TEST_F(FlySnapshots, aReaderHasTheFilesOfThatMomentAndIsHeldBesideTheInstance) {
  makeWorkspace();
  std::optional<ProviderInstance> before = get(wanted_.placeId);
  ProviderInstance made = openReader();
  EXPECT_EQ(made.placeId, reader_);
  EXPECT_EQ(made.status, InstanceStatus::running);
  EXPECT_EQ(read(reader_), "first");
  EXPECT_EQ(read(wanted_.placeId), "second");
  write(wanted_.placeId, "third");
  EXPECT_EQ(read(reader_), "first");
  auto settingsOf = [&](const PlaceId& id) {
    auto print = provider_->executeCommand(id, {"printenv", "SWARM_AGENT"}, "", soon());
    return json::parse(runner_.run(std::move(print)).stdoutText);
  };
  EXPECT_EQ(settingsOf(reader_).at("hold").as_string(), "op-1");
  EXPECT_EQ(settingsOf(reader_).at("binds"), settingsOf(wanted_.placeId).at("binds")) << "the files lie where the instance has put them";
  EXPECT_FALSE(settingsOf(wanted_.placeId).as_object().contains("hold"));
  EXPECT_FALSE(boolAt(readersVolume(), "auto_backup_enabled"));
  net::HttpEndpoint endpoint = runner_.run(provider_->agentEndpoint(reader_, soon()));
  EXPECT_EQ(net::findHeader(endpoint.headers, "fly-force-instance-id"), stringAt(machineOf(reader_), "id"));
  EXPECT_EQ(get(wanted_.placeId)->external, before->external);
  for (const ExternalResource& resource : made.external) {
    EXPECT_NE(resource.kind, ResourceKind::app) << "the instance's app must not count as the reader's";
    EXPECT_NE(std::ranges::find(recorded_.resources, resource), recorded_.resources.end()) << resource.kind.name();
  }
}

TEST_F(FlySnapshots, aReaderIsNeverTakenForTheInstance) {
  makeWorkspace();
  openReader();
  for (bool remembered : {true, false}) {
    if (!remembered) quickServer();
    int instances = 0;
    for (const ProviderInstance& one : list().instances) instances += one.placeId == wanted_.placeId ? 1 : 0;
    EXPECT_EQ(instances, 1);
    EXPECT_EQ(stringAt(machineOf(wanted_.placeId), "id"), get(wanted_.placeId)->external.at(1).id);
    std::vector<VolumeInfo> known = runner_.run(provider_->listVolumes(soon()));
    ASSERT_EQ(known.size(), 1u);
    EXPECT_EQ(known[0].placeId, wanted_.placeId);
    EXPECT_TRUE(known[0].inUse);
  }
  stop(wanted_.placeId);
  start(wanted_.placeId);
  wanted_.config.env["ADDED"] = "yes";
  runner_.run(provider_->replaceInstance(wanted_, progress_, soon()));
  EXPECT_EQ(read(wanted_.placeId), "second");
  EXPECT_EQ(read(reader_), "first") << "what the instance does is none of the reader's business";
  closeReader();
  expectInstanceAlone();
}

TEST_F(FlySnapshots, aCopyIsAsLargeAsTheVolumeWasAlsoWhenThatIsGone) {
  makeWorkspace();
  ResourceConfig more = wanted_.config.resources;
  more.storage.size = 5;
  runner_.run(provider_->allocateResources(wanted_.placeId, more, soon()));
  write(wanted_.placeId, "first");
  snapshot_ = take();
  std::string volume = dataVolume();
  loseMachine();
  world_.send("DELETE", format("/v1/apps/{}/volumes/{}", app_, volume));
  quickServer();
  EXPECT_EQ(listed().size(), 2u);
  openReader();
  EXPECT_EQ(integerAt(readersVolume(), "size_gb"), 5);
  EXPECT_EQ(read(reader_), "first");
}

TEST_F(FlySnapshots, deletingTheInstanceTakesItsReaderAlong) {
  for (bool closed_later : {false, true}) {
    makeWorkspace();
    openReader();
    quickServer();
    remove(wanted_.placeId);
    EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
    if (closed_later) closeReader();
    progress_.resources.clear();
    recorded_.resources.clear();
  }
}

TEST_F(FlySnapshots, aVolumeThatIsKeptIsKeptAloneAndAReaderOfItsInstanceGoes) {
  makeWorkspace();
  openReader();
  remove(wanted_.placeId, DeleteVolumes::No);
  EXPECT_EQ(world_.leftovers(), (std::vector<std::string>{"1 apps", "1 volumes"}));
  EXPECT_TRUE(stringAt(volumes().at(0), "name").starts_with("data"));
  closeReader();
  EXPECT_EQ(world_.leftovers(), (std::vector<std::string>{"1 apps", "1 volumes"}));
  EXPECT_EQ(secrets(), std::vector<std::string>{"SWARM_STORAGE"});
}

/// Whatever is left of the instance is not the reader's to take: not when its Machine is gone, nor when nothing is known of the reader.
TEST_F(FlySnapshots, closingAReaderNeverTouchesWhatIsTheInstances) {
  for (bool known : {true, false}) {
    for (bool remembered : {true, false}) {
      SCOPED_TRACE(format("known {} remembered {}", known, remembered));
      makeWorkspace();
      openReader();
      loseMachine();
      if (!known) recorded_.resources.clear();
      if (!remembered) quickServer();
      closeReader();
      EXPECT_EQ(world_.count("machines"), 0);
      EXPECT_EQ(world_.leftovers(), (std::vector<std::string>{"1 apps", "1 volumes", "2 ips"}));
      closeReader();
      quickServer();
      closeReader();
      create(wanted_);
      expectInstanceAlone();
      remove(wanted_.placeId);
      progress_.resources.clear();
      recorded_.resources.clear();
    }
  }
}

/// A reader's id gives no access to the instance: no call with it changes, moves or removes what is not the reader's.
TEST_F(FlySnapshots, noCallOnAReaderChangesTheInstance) {
  makeWorkspace();
  openReader();
  for (bool remembered : {true, false}) {
    if (!remembered) quickServer();
    stop(reader_);
    start(reader_);
    InstanceSpec changed = wanted_;
    changed.placeId = reader_;
    changed.config.env["ADDED"] = "yes";
    EXPECT_TRUE(errorOf([&] { runner_.run(provider_->replaceInstance(changed, recorded_, soon())); }));
    EXPECT_TRUE(errorOf([&] { runner_.run(provider_->allocateResources(reader_, changed.config.resources, soon())); }));
    stop(reader_);
    world_.fault(R"({"match":{"action":"machine_start"},"effect":{"error":"E19"}})");
    auto error = errorOf([&] { start(reader_); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::OutOfResources) << error->message();
    start(reader_);
    EXPECT_EQ(read(reader_), "first");
    EXPECT_EQ(world_.count("volumes"), 2) << "no fork that could be taken for the instance's volume";
  }
  closeReader();
  expectInstanceAlone();
}

TEST_F(FlySnapshots, ofAnInstanceThatTookOverAKeptVolumeAreInThatVolumesApp) {
  makeWorkspace();
  remove(wanted_.placeId, DeleteVolumes::No);
  progress_.resources.clear();
  std::string kept = runner_.run(provider_->listVolumes(soon())).at(0).name;
  wanted_ = spec();
  wanted_.config.storage[0].volumeName = kept;
  create(wanted_);
  EXPECT_EQ(listed().size(), 1u);
  openReader();
  EXPECT_EQ(read(reader_), "first");
  remove(wanted_.placeId, DeleteVolumes::No);
  EXPECT_EQ(world_.leftovers(), (std::vector<std::string>{"1 apps", "1 volumes"}));
}

}  // namespace
}  // namespace swarm::testing
