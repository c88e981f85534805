// The decorators themselves, on the fake provider: what is retried, what is not, and when a planned failure strikes.
#include <gtest/gtest.h>

#include "base/id.h"
#include "conformance/provider/coroutine_runner.h"
#include "provider/decorators/decorators.h"
#include "provider/fake/fake_provider.h"

namespace swarm::testing {
namespace {

class Decorators : public ::testing::Test {
 protected:
  ProviderPtr fake() { return std::make_unique<fake::FakeProvider>(world_, clock_); }
  static InstanceSpec spec() {
    InstanceSpec made{PlaceId(newId("i")), "one", "ada", {}, {}, {}};
    made.config.name = "one";
    made.config.image = "workspace";
    made.config.storage = {{1, true, "/home/coder", ""}};
    return made;
  }
  static Deadline soon() { return Deadline::after(std::chrono::seconds(20)); }
  static RetryPolicy quick() {
    return {.attempts = 3, .firstPause = std::chrono::milliseconds(1), .longestPause = std::chrono::milliseconds(2)};
  }

  RealClock clock_;
  fake::FakeWorld world_{clock_};
  CoroutineRunner runner_;
  NoProgress progress_;
};

TEST_F(Decorators, retryMakesACallAgainAfterAPassingTrouble) {
  auto flaky = std::make_unique<FlakyProvider>(fake());
  FlakyProvider& plan = *flaky;
  RetryProvider provider(std::move(flaky), quick());
  plan.fail(ProviderCall::CreateInstance, FlakyProvider::When::Before, Error(ErrorCode::Unavailable, "no answer"));
  plan.fail(ProviderCall::CreateInstance, FlakyProvider::When::After, Error(ErrorCode::Unavailable, "the answer was lost"));
  ProviderInstance made = runner_.run(provider.createInstance(spec(), progress_, soon()));
  EXPECT_EQ(made.status, InstanceStatus::running);
  EXPECT_EQ(plan.calls(ProviderCall::CreateInstance), 3);
  EXPECT_EQ(world_.containers().size(), 1u);
}

TEST_F(Decorators, retryGivesUpAfterItsAttempts) {
  auto flaky = std::make_unique<FlakyProvider>(fake());
  FlakyProvider& plan = *flaky;
  RetryProvider provider(std::move(flaky), quick());
  for (int nth = 1; nth <= 5; ++nth)
    plan.fail(ProviderCall::ListVolumes, FlakyProvider::When::Before, Error(ErrorCode::Unavailable, "down"), nth);
  auto error = errorOf([&] { runner_.run(provider.listVolumes(soon())); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unavailable);
  EXPECT_EQ(plan.calls(ProviderCall::ListVolumes), 3);
}

TEST_F(Decorators, retryLeavesFinalErrorsAndCommandsAlone) {
  auto flaky = std::make_unique<FlakyProvider>(fake());
  FlakyProvider& plan = *flaky;
  RetryProvider provider(std::move(flaky), quick());
  plan.fail(ProviderCall::CreateInstance, FlakyProvider::When::Before, Error(ErrorCode::Unprocessable, "no such image"));
  EXPECT_TRUE(errorOf([&] { runner_.run(provider.createInstance(spec(), progress_, soon())); }));
  EXPECT_EQ(plan.calls(ProviderCall::CreateInstance), 1);
  plan.fail(ProviderCall::ExecuteCommand, FlakyProvider::When::After, Error(ErrorCode::Unavailable, "the answer was lost"));
  InstanceSpec wanted = spec();
  runner_.run(provider.createInstance(wanted, progress_, soon()));
  EXPECT_TRUE(errorOf([&] { runner_.run(provider.executeCommand(wanted.placeId, {"true"}, "", soon())); }));
  EXPECT_EQ(plan.calls(ProviderCall::ExecuteCommand), 1) << "a command may have run: it is not run again";
}

TEST_F(Decorators, slowRespectsTheDeadline) {
  SlowProvider provider(fake(), std::chrono::hours(1));
  auto error = errorOf([&] { runner_.run(provider.listVolumes(Deadline::after(std::chrono::milliseconds(5)))); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::DeadlineExceeded);
}

TEST_F(Decorators, recordingReportsEachCallAndItsFailure) {
  RecordingProvider provider(fake());
  InstanceSpec wanted = spec();
  runner_.run(provider.createInstance(wanted, progress_, soon()));
  errorOf([&] { runner_.run(provider.startInstance(PlaceId("i-none"), progress_, soon())); });
  EXPECT_EQ(provider.calls(),
            (std::vector<std::string>{"createInstance " + wanted.placeId.str(), "startInstance i-none failed: not_found"}));
}

}  // namespace
}  // namespace swarm::testing
