// replaceInstance: a changed configuration on the same volumes, and nothing lost on the way.
#include "conformance/provider/provider_fixture.h"

namespace swarm::testing {

TEST_P(ProviderSuite, replaceAppliesTheNewConfigurationAndKeepsTheData) {
  InstanceSpec wanted = spec();
  create(wanted);
  writeFile(wanted.placeId, "/home/coder/note", "kept");
  wanted.config.env["ADDED"] = "yes";
  wanted.config.resources.memory.max = 80;
  ProviderInstance now = runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
  EXPECT_EQ(now.status, InstanceStatus::running);
  EXPECT_EQ(now.resources.memory.max, fixture_->effective(wanted.config.resources).memory.max);
  EXPECT_EQ(readFile(wanted.placeId, "/home/coder/note"), "kept");
  EXPECT_EQ(execute(wanted.placeId, {"printenv", "ADDED"}).stdoutText, "yes\n");
  EXPECT_EQ(list().size(), 1u);
  remove(wanted.placeId);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_P(ProviderSuite, replaceLeavesAStoppedInstanceStopped) {
  InstanceSpec wanted = spec();
  create(wanted);
  stop(wanted.placeId);
  wanted.config.env["ADDED"] = "yes";
  ProviderInstance now = runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
  EXPECT_TRUE(now.status == InstanceStatus::stopped || now.status == InstanceStatus::creating);
  start(wanted.placeId);
  EXPECT_EQ(execute(wanted.placeId, {"printenv", "ADDED"}).stdoutText, "yes\n");
}

TEST_P(ProviderSuite, replaceTwiceWithTheSameSpecChangesNothing) {
  if (!deviations_.keepsOldUntilReplaced) GTEST_SKIP() << "declared: removes the old one first";
  InstanceSpec wanted = spec();
  create(wanted);
  wanted.config.env["ADDED"] = "yes";
  ProviderInstance first = runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
  ProviderInstance second = runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
  EXPECT_EQ(first.external, second.external);
  EXPECT_EQ(second.status, InstanceStatus::running);
}

TEST_P(ProviderSuite, aReplaceThatWasCutOffIsCompletedByTheNextOne) {
  if (!deviations_.keepsOldUntilReplaced) GTEST_SKIP() << "declared: removes the old one first";
  for (int point = 1; point <= 3; ++point) {
    SCOPED_TRACE(point);
    InstanceSpec wanted = spec("cut" + std::to_string(point));
    create(wanted);
    writeFile(wanted.placeId, "/home/coder/note", "kept");
    wanted.config.env["ADDED"] = "yes";
    RecordingProgress cut(point);
    errorOf([&] { runner_.run(provider().replaceInstance(wanted, cut, soon())); });
    restartServer();
    EXPECT_TRUE(get(wanted.placeId)) << "an instance may never be lost";
    runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
    EXPECT_EQ(status(wanted.placeId), InstanceStatus::running);
    EXPECT_EQ(readFile(wanted.placeId, "/home/coder/note"), "kept");
    EXPECT_EQ(execute(wanted.placeId, {"printenv", "ADDED"}).stdoutText, "yes\n");
    remove(wanted.placeId);
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }
}

TEST_P(ProviderSuite, aReplaceThatCanNotBeDoneLeavesTheOldOneRunning) {
  if (!deviations_.seesUnknownImages) GTEST_SKIP() << "declared: does not know which images exist";
  InstanceSpec wanted = spec();
  create(wanted);
  writeFile(wanted.placeId, "/home/coder/note", "kept");
  InstanceSpec wrong = wanted;
  wrong.config.image = fixture_->unknownImage();
  auto error = errorOf([&] { runner_.run(provider().replaceInstance(wrong, no_progress_, soon())); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
  EXPECT_EQ(status(wanted.placeId), InstanceStatus::running);
  EXPECT_EQ(readFile(wanted.placeId, "/home/coder/note"), "kept");
  remove(wanted.placeId);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_P(ProviderSuite, replacingWhatIsNotThereIsNotFound) {
  if (!deviations_.keepsOldUntilReplaced) GTEST_SKIP() << "declared: removes the old one first";
  auto error = errorOf([&] { runner_.run(provider().replaceInstance(spec(), no_progress_, soon())); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::NotFound);
}

}  // namespace swarm::testing
