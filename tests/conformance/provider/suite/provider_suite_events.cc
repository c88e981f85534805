// What happens at the provider outside of the server reaches the sink, and agrees with the state that is read.
#include "conformance/provider/provider_fixture.h"

namespace swarm::testing {

TEST_P(ProviderSuite, aRemovalOutsideOfTheServerIsReported) {
  InstanceSpec wanted = spec();
  create(wanted);
  fixture_->removeBehindBack(wanted.placeId);
  EXPECT_TRUE(runner_.waitFor([&] { return saw(ProviderEvent::Kind::Removed, wanted.placeId); }));
  EXPECT_FALSE(get(wanted.placeId));
  EXPECT_TRUE(list().empty());
  remove(wanted.placeId);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_P(ProviderSuite, anUnexpectedEndIsReportedAndIsAFailure) {
  InstanceSpec wanted = spec();
  create(wanted);
  events_.clear();
  fixture_->killBehindBack(wanted.placeId);
  EXPECT_TRUE(runner_.waitFor(
      [&] { return saw(ProviderEvent::Kind::Changed, wanted.placeId) && status(wanted.placeId) == InstanceStatus::failed; }));
  auto found = get(wanted.placeId);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->reason.empty());
  start(wanted.placeId);
  EXPECT_EQ(status(wanted.placeId), InstanceStatus::running);
}

TEST_P(ProviderSuite, aReplaceIsNotARemoval) {
  if (!deviations_.keepsOldUntilReplaced) GTEST_SKIP() << "declared: removes the old one first";
  InstanceSpec wanted = spec();
  create(wanted);
  events_.clear();
  wanted.config.env["ADDED"] = "yes";
  runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
  stop(wanted.placeId);  // its event comes after those of the replacement
  EXPECT_TRUE(runner_.waitFor([&] {
    return std::any_of(events_.begin(), events_.end(),
                       [](const ProviderEvent& event) { return event.detail.find("die") == 0 || event.detail.find("stop") == 0; });
  }));
  EXPECT_FALSE(saw(ProviderEvent::Kind::Removed, wanted.placeId));
}

TEST_P(ProviderSuite, healthAndValidationSayThatAllIsWell) {
  EXPECT_TRUE(runner_.waitFor([&] { return provider().health().status == ProviderHealth::healthy; })) << provider().health().detail;
  auto checks = runner_.run(provider().validate(soon()));
  ASSERT_FALSE(checks.empty());
  EXPECT_TRUE(checks[0].ok) << checks[0].detail;
}

TEST_P(ProviderSuite, aProviderIsClosedAndOpenedAgain) {
  InstanceSpec wanted = spec();
  create(wanted);
  restartServer();
  restartServer();
  EXPECT_EQ(status(wanted.placeId), InstanceStatus::running);
}

}  // namespace swarm::testing
