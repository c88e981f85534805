// Interrupted calls: whatever was half made is completed by the same call again, or removed by delete; nothing is made twice.
#include "conformance/provider/provider_fixture.h"

namespace swarm::testing {

namespace {

/// How many things a whole create records.
int countRecorded(CoroutineRunner& runner, Provider& provider, const InstanceSpec& spec, Deadline deadline) {
  RecordingProgress progress;
  runner.run(provider.createInstance(spec, progress, deadline));
  return static_cast<int>(progress.resources.size());
}

}  // namespace

TEST_P(ProviderSuite, aCreateThatWasCutOffAnywhereIsCompletedByTheNextOne) {
  InstanceSpec whole = spec("whole");
  int points = countRecorded(runner_, provider(), whole, soon());
  remove(whole.placeId);
  ASSERT_GT(points, 0);
  for (int point = 1; point <= points; ++point) {
    SCOPED_TRACE(point);
    InstanceSpec wanted = spec("half" + std::to_string(point));
    RecordingProgress cut(point);
    auto error = errorOf([&] { runner_.run(provider().createInstance(wanted, cut, soon())); });
    ASSERT_TRUE(error) << "the create was not cut off";
    restartServer();
    ProviderInstance made = create(wanted);
    EXPECT_EQ(made.status, InstanceStatus::running);
    EXPECT_EQ(list().size(), 1u);
    for (const ExternalResource& before : cut.resources) {
      EXPECT_NE(std::find(made.external.begin(), made.external.end(), before), made.external.end())
          << before.kind.name() << " " << before.id << " of the first call was not used";
    }
    remove(wanted.placeId);
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }
}

TEST_P(ProviderSuite, aCreateThatWasCutOffAnywhereIsRemovedByDelete) {
  InstanceSpec whole = spec("whole");
  int points = countRecorded(runner_, provider(), whole, soon());
  remove(whole.placeId);
  for (int point = 1; point <= points; ++point) {
    SCOPED_TRACE(point);
    InstanceSpec wanted = spec("half" + std::to_string(point));
    RecordingProgress cut(point);
    auto error = errorOf([&] { runner_.run(provider().createInstance(wanted, cut, soon())); });
    ASSERT_TRUE(error);
    restartServer();
    remove(wanted.placeId, DeleteVolumes::Yes, cut.resources);
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
    EXPECT_FALSE(get(wanted.placeId));
  }
}

TEST_P(ProviderSuite, anotherServerOnTheSameSwarmFindsWhatIsThere) {
  InstanceSpec first = spec("one"), second = spec("two");
  create(first);
  create(second);
  fixture_->awaitProgram(second.placeId);
  stop(second.placeId);
  restartServer();
  EXPECT_EQ(list().size(), 2u);
  EXPECT_EQ(status(first.placeId), InstanceStatus::running);
  EXPECT_EQ(status(second.placeId), InstanceStatus::stopped);
  start(second.placeId);
  EXPECT_EQ(status(second.placeId), InstanceStatus::running);
}

TEST_P(ProviderSuite, anUnknownImageIsRefusedAndNothingIsLeft) {
  if (!deviations_.seesUnknownImages) GTEST_SKIP() << "declared: does not know which images exist";
  InstanceSpec wanted = spec();
  wanted.config.image = fixture_->unknownImage();
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable) << error->message();
  EXPECT_NE(error->message().find(fixture_->unknownImage()), std::string::npos) << error->message();
  remove(wanted.placeId);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_P(ProviderSuite, resourcesThatNoMachineHasAreRefusedBeforeAnythingIsMade) {
  if (!deviations_.enforcesLimits) GTEST_SKIP() << "declared: has no machine with limits";
  for (int which = 0; which < 4; ++which) {
    SCOPED_TRACE(which);
    InstanceSpec wanted = spec();
    ResourceConfig& resources = wanted.config.resources;
    if (which == 0) resources.memory = {0, 2};
    if (which == 1) resources.memory = {0, 1LL << 40};
    if (which == 2) resources.cpu = {1000, 0};
    if (which == 3) resources.memory = {128, 64};
    auto error = errorOf([&] { create(wanted); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Unprocessable) << error->message();
    EXPECT_FALSE(error->fields().empty());
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }
}

}  // namespace swarm::testing
