// An image whose name means another image than it did when the instance was made.
#include "conformance/provider/provider_fixture.h"

namespace swarm::testing {
namespace {

bool isListedAsOutdated(Provider& provider, const std::vector<ProviderInstance>& listed, const InstanceSpec& spec) {
  for (const ProviderInstance& one : listed)
    if (one.placeId == spec.placeId) return provider.isImageOutdated(one, spec.config.image);
  throw std::logic_error(spec.placeId.str() + " is not listed");
}

}  // namespace

TEST_P(ProviderSuite, anInstanceOfTheImageThatItsNameMeansIsNotOutdated) {
  InstanceSpec wanted = spec();
  EXPECT_FALSE(provider().isImageOutdated(create(wanted), wanted.config.image));
  EXPECT_FALSE(isListedAsOutdated(provider(), list(), wanted));
  EXPECT_FALSE(provider().isImageOutdated(*get(wanted.placeId), wanted.config.image));
  wanted.newestImage = true;
  ProviderInstance now = runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
  EXPECT_EQ(now.status, InstanceStatus::running);
  EXPECT_FALSE(isListedAsOutdated(provider(), list(), wanted));
}

TEST_P(ProviderSuite, aMovedTagIsSeenUntilTheInstanceIsReplaced) {
  if (!deviations_.seesMovedTags) GTEST_SKIP() << "declared: only names are compared";
  InstanceSpec wanted = spec(), other = spec("other");
  wanted.config.image = fixture_->taggedImage();
  create(wanted);
  create(other);
  writeFile(wanted.placeId, "/home/coder/note", "kept");
  EXPECT_FALSE(isListedAsOutdated(provider(), list(), wanted));
  fixture_->moveTag(wanted.config.image);
  EXPECT_TRUE(isListedAsOutdated(provider(), list(), wanted));
  EXPECT_FALSE(isListedAsOutdated(provider(), list(), other)) << "of another image";
  EXPECT_TRUE(provider().isImageOutdated(*get(wanted.placeId), wanted.config.image));
  stop(wanted.placeId);
  start(wanted.placeId);
  restartServer();
  EXPECT_TRUE(isListedAsOutdated(provider(), list(), wanted)) << "a start reuses the container";
  wanted.newestImage = true;
  ProviderInstance now = runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
  EXPECT_EQ(now.status, InstanceStatus::running);
  EXPECT_FALSE(provider().isImageOutdated(now, wanted.config.image));
  EXPECT_FALSE(isListedAsOutdated(provider(), list(), wanted));
  EXPECT_EQ(readFile(wanted.placeId, "/home/coder/note"), "kept");
}

TEST_P(ProviderSuite, theNewestImageIsTakenOnceHoweverOftenItIsRequested) {
  if (!deviations_.seesMovedTags || !deviations_.keepsOldUntilReplaced) GTEST_SKIP() << "declared: each call replaces";
  for (int point = 1; point <= 3; ++point) {
    SCOPED_TRACE(point);
    InstanceSpec wanted = spec("cut" + std::to_string(point));
    wanted.config.image = fixture_->taggedImage();
    ProviderInstance first = create(wanted);
    fixture_->moveTag(wanted.config.image);
    EXPECT_EQ(runner_.run(provider().replaceInstance(wanted, no_progress_, soon())).external, first.external) << "not requested";
    wanted.newestImage = true;
    RecordingProgress cut(point);
    errorOf([&] { runner_.run(provider().replaceInstance(wanted, cut, soon())); });
    restartServer();
    ProviderInstance second = runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
    EXPECT_NE(second.image, first.image);
    EXPECT_EQ(second.status, InstanceStatus::running);
    EXPECT_EQ(runner_.run(provider().replaceInstance(wanted, no_progress_, soon())).external, second.external);
    remove(wanted.placeId);
  }
}

}  // namespace swarm::testing
