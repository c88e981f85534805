// What moves need of a provider: a preview that makes nothing, and a second place of the same workspace beside the first.
#include "base/id.h"
#include "conformance/provider/provider_fixture.h"

namespace swarm::testing {

TEST_P(ProviderSuite, aPreviewTellsWhatACreateMakesAndMakesNothing) {
  InstanceSpec wanted = spec();
  PlacementPreview preview = runner_.run(provider().previewInstance(wanted, soon()));
  EXPECT_EQ(preview.problems, std::vector<std::string>{});
  EXPECT_TRUE(preview.imageFound) << preview.imageDetail;
  EXPECT_FALSE(preview.image.empty());
  EXPECT_FALSE(preview.imageDetail.empty());
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  EXPECT_EQ(list().size(), 0u);
  ProviderInstance made = create(wanted);
  EXPECT_EQ(preview.region, made.region);
  EXPECT_EQ(preview.resources.cpu.limit, made.resources.cpu.limit);
  EXPECT_EQ(preview.resources.memory.max, made.resources.memory.max);
}

TEST_P(ProviderSuite, aPreviewSaysWhyACreateWouldFailInsteadOfThrowing) {
  InstanceSpec wanted = spec();
  wanted.config.resources.memory.max = 1;
  PlacementPreview preview = runner_.run(provider().previewInstance(wanted, soon()));
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  ASSERT_EQ(preview.problems.size(), 1u);
  EXPECT_EQ(preview.problems[0], error->message());
  remove(wanted.instanceId);
}

TEST_P(ProviderSuite, aPreviewSaysThatAnImageIsNotThere) {
  if (!deviations_.seesUnknownImages) GTEST_SKIP() << "declared: does not know which images exist";
  if (!deviations_.previewsImages) GTEST_SKIP() << "declared: can't ask for images beforehand here";
  InstanceSpec wanted = spec();
  wanted.config.image = fixture_->unknownImage();
  PlacementPreview preview = runner_.run(provider().previewInstance(wanted, soon()));
  EXPECT_FALSE(preview.imageFound);
  ASSERT_EQ(preview.problems.size(), 1u);
  EXPECT_NE(preview.problems[0].find(fixture_->unknownImage()), std::string::npos) << preview.problems[0];
  EXPECT_FALSE(preview.imageDetail.empty());
}

TEST_P(ProviderSuite, aPreviewSaysThatAVolumeBelongsToSomebodyElse) {
  if (!deviations_.guardsVolumes) GTEST_SKIP() << "declared: volumes are not anybody's";
  InstanceSpec first = spec("one", "ada");
  first.config.storage[0].volumeName = "files" + first.instanceId.substr(first.instanceId.size() - 8);
  create(first);
  InstanceSpec other = spec("two", "bob");
  other.config.storage = first.config.storage;
  PlacementPreview preview = runner_.run(provider().previewInstance(other, soon()));
  ASSERT_FALSE(preview.problems.empty());
  EXPECT_NE(preview.problems[0].find("belong"), std::string::npos) << preview.problems[0];
}

}  // namespace swarm::testing
