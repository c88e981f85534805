// What a move relies on at Fly: the requested region and no other, its own volumes, and a preview that reports both beforehand.
#include "conformance/provider/fly/faults/fly_places.h"

namespace swarm::testing {
namespace {

class FlyTarget : public FlyPlaces {
 protected:
  InstanceSpec specIn(std::vector<std::string> regions) {
    InstanceSpec made = spec();
    made.config.network.regions = std::move(regions);
    return made;
  }
  PlacementPreview preview(const InstanceSpec& wanted) { return runner_.run(provider_->previewInstance(wanted, soon())); }
};

/// One host in ams, too small for any Machine of the tests.
emulator::EmulatorOptions fullAmsterdam() {
  emulator::EmulatorOptions options = quickFly();
  options.capacity.hostsPerRegion = 1;
  options.capacity.hostInRegion["ams"] = {.memoryMb = 128, .cpus = 0};
  return options;
}

TEST_F(FlyTarget, anInstanceThatNamesOneRegionIsMadeThereOrNotAtAll) {
  EXPECT_EQ(config_.regions.size(), 3u) << "there would be others";
  world_.fault(R"({"match":{"action":"machine_create"},"effect":{"error":"E22"}})");
  InstanceSpec wanted = specIn({"ams"});
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::OutOfResources);
  EXPECT_NE(error->message().find("in ams"), std::string::npos) << error->message();
  EXPECT_TRUE(world_.machines().empty());
  EXPECT_EQ(create(wanted).region, "ams") << "once there is room";
  remove(wanted.placeId);
  EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
}

TEST_F(FlyTarget, aLaterStartDoesNotLeaveTheRegionEither) {
  InstanceSpec wanted = specIn({"ams"});
  create(wanted);
  write(wanted.placeId, "precious");
  stop(wanted.placeId);
  world_.fault(R"({"match":{"action":"machine_start"},"effect":{"error":"E19"}})");
  world_.fault(R"({"match":{"action":"volume_create"},"effect":{"error":"E24"}})");
  auto error = errorOf([&] { start(wanted.placeId); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::OutOfResources);
  EXPECT_EQ(stringAt(machine(), "region"), "ams");
  start(wanted.placeId);
  EXPECT_EQ(read(wanted.placeId), "precious");
  expectOneOfEach();
}

TEST_F(FlyTarget, anInstanceThatNamesNoneMayLeaveAFullRegion) {
  InstanceSpec wanted = spec();
  create(wanted);
  write(wanted.placeId, "precious");
  stop(wanted.placeId);
  world_.fault(R"({"match":{"action":"machine_start"},"effect":{"error":"E19"}})");
  world_.fault(R"({"match":{"action":"volume_create"},"effect":{"error":"E24"}})");
  start(wanted.placeId);
  EXPECT_EQ(stringAt(machine(), "region"), "fra");
  EXPECT_EQ(read(wanted.placeId), "precious");
}

TEST_F(FlyTarget, aTargetHasAVolumeOfTheNameBesideItsSource) {
  InstanceSpec source = specIn({"ams"});
  source.config.storage[0].volumeName = "files";
  create(source);
  write(source.placeId, "source");
  InstanceSpec target = specIn({"fra"});
  target.config.storage = source.config.storage;
  target.newVolumes = true;
  EXPECT_EQ(preview(target).problems, std::vector<std::string>{});
  EXPECT_EQ(create(target).region, "fra");
  EXPECT_EQ(read(target.placeId), "");
  write(target.placeId, "target");
  EXPECT_EQ(create(target).region, "fra") << "made again, it is the same";
  runner_.run(provider_->deleteInstance(source.placeId, DeleteVolumes::Yes, {}, progress_, soon()));
  EXPECT_EQ(read(target.placeId), "target");
  std::vector<VolumeInfo> volumes = runner_.run(provider_->listVolumes(soon()));
  ASSERT_EQ(volumes.size(), 1u);
  EXPECT_EQ(volumes[0].name, "files");
}

TEST_F(FlyTarget, aKeptVolumeOfTheNameIsInTheWayOfATarget) {
  InstanceSpec earlier = spec();
  earlier.config.storage[0].volumeName = "files";
  create(earlier);
  runner_.run(provider_->deleteInstance(earlier.placeId, DeleteVolumes::No, {}, progress_, soon()));
  InstanceSpec target = spec();
  target.config.storage[0].volumeName = "files";
  target.newVolumes = true;
  ASSERT_EQ(preview(target).problems.size(), 1u);
  auto error = errorOf([&] { create(target); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Conflict);
  EXPECT_EQ(preview(target).problems[0], error->message());
}

TEST_F(FlyTarget, aPreviewReportsSizeRegionRoomOnTheVolumeAndWhatIsBilled) {
  InstanceSpec wanted = specIn({"fra"});
  wanted.config.resources.cpu = {0.5, 500};
  wanted.config.resources.memory = {0, 300};
  wanted.config.storage = {{3, true, "/home/coder", ""}, {1, true, "/srv", ""}};
  PlacementPreview seen = preview(wanted);
  EXPECT_EQ(seen.problems, std::vector<std::string>{});
  EXPECT_EQ(seen.region, "fra");
  EXPECT_EQ(seen.resources.memory.max, 512);
  EXPECT_EQ(seen.resources.cpu.limit, 1000);
  constexpr std::int64_t kGib = 1024LL * 1024 * 1024;
  EXPECT_LT(seen.storageBytes, 4 * kGib) << "the file system needs some";
  EXPECT_GT(seen.storageBytes, 3 * kGib);
  ASSERT_EQ(seen.costNotes.size(), 3u);
  EXPECT_NE(seen.costNotes[0].find("shared-cpu-1x with 512 MB"), std::string::npos) << seen.costNotes[0];
  EXPECT_NE(seen.costNotes[1].find("4 GB"), std::string::npos) << seen.costNotes[1];
  EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
}

TEST_F(FlyTarget, aPreviewNamesEachThingThatIsInTheWay) {
  InstanceSpec wanted = specIn({"atlantis"});
  wanted.config.image = "";  // the workspace image, which was never pushed
  wanted.config.resources.cpu = {64, 0};
  wanted.config.network.internalNetwork = true;
  wanted.config.storage = {{1, true, "/etc", ""}};
  std::vector<std::string> problems = preview(wanted).problems;
  ASSERT_EQ(problems.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    const char* expected[] = {"64 cores", "docker push", "reach the internet", "/etc", "atlantis"};
    EXPECT_NE(problems[i].find(expected[i]), std::string::npos) << problems[i];
  }
}

TEST_F(FlyTarget, aPreviewNamesAPolicyOfEgressOnce) {
  InstanceSpec wanted = specIn({"fra"});
  wanted.config.network.egress = EgressConfig{EgressPolicy::standard, {}};
  const std::vector<std::string> problems = preview(wanted).problems;
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("cannot limit what a workspace reaches"), std::string::npos) << problems[0];
}

TEST_F(FlyTarget, aPreviewOfAnExistingPlaceRequiresNoRoom) {
  InstanceSpec kept = specIn({"fra"});
  kept.config.storage[0].size = 2;
  create(kept);
  stop(kept.placeId);
  world_.fault(R"({"match":{"action":"placements"},"count":-1,"effect":{"error":"E22"}})");
  kept.config.network.regions.clear();
  PlacementPreview seen = preview(kept);
  EXPECT_EQ(seen.problems, std::vector<std::string>{});
  EXPECT_EQ(seen.region, "fra");
  EXPECT_GT(seen.storageBytes, 1024LL * 1024 * 1024);
  ASSERT_EQ(preview(specIn({"fra"})).problems.size(), 1u) << "another one would need it";
}

class FlyWithoutRoom : public ::testing::Test {
 protected:
  PlacementPreview preview(std::vector<std::string> regions) {
    InstanceSpec wanted{PlaceId(newId("i")), "one", "ada", {}, "{}", {}};
    wanted.config.image = "workspace";
    wanted.config.resources.memory = {0, 256};
    wanted.config.resources.cpu = {1, 0};
    wanted.config.network.regions = std::move(regions);
    flyio::FlyIOProvider provider(world_.providerConfig(), "swarm-1", world_.clock(), FlyWorld::quickTuning());
    return runner_.run(provider.previewInstance(wanted, Deadline::after(std::chrono::seconds(20))));
  }
  CoroutineRunner runner_;
  FlyWorld world_{runner_, makeTestMemoryBackend, fullAmsterdam()};
};

TEST_F(FlyWithoutRoom, aPreviewSaysWhichRegionItWouldBeAndWhichHasNoRoom) {
  PlacementPreview full = preview({"ams"});
  ASSERT_EQ(full.problems.size(), 1u);
  EXPECT_NE(full.problems[0].find("no capacity in ams"), std::string::npos) << full.problems[0];
  EXPECT_EQ(full.region, "ams");
  PlacementPreview next = preview({"ams", "fra"});
  EXPECT_EQ(next.problems, std::vector<std::string>{});
  EXPECT_EQ(next.region, "fra");
}

}  // namespace
}  // namespace swarm::testing
