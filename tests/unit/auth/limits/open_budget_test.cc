// How many streams and bytes one user and one workspace may use.
#include "auth/limits/open_budget.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace swarm {
namespace {

using testing::HasSubstr;

std::string refusalOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::TooManyRequests);
    EXPECT_GT(error.retryAfter().count(), 0);
    return error.message();
  }
  return "";
}

TEST(OpenBudget, isEachUsersOwn) {
  OpenBudget budget({.perUser = 2});
  auto first = budget.take("ann");
  {
    auto second = budget.take("ann");
    EXPECT_THAT(refusalOf([&] { budget.take("ann"); }), HasSubstr("Limit of 2 open streams and tunnels of one user"));
    EXPECT_EQ(refusalOf([&] { budget.take("ben"); }), "");
  }
  EXPECT_EQ(refusalOf([&] { budget.take("ann"); }), "") << "the end of a stream releases its share";
  EXPECT_EQ(budget.open(), 1u);
}

TEST(OpenBudget, isEachWorkspacesOwn) {
  OpenBudget budget({.perUser = 10, .perInstance = 1});
  auto place = budget.take("ann", InstanceId("i-1"));
  EXPECT_THAT(refusalOf([&] { budget.take("ben", InstanceId("i-1")); }), HasSubstr("Limit of 1 open streams and tunnels of one workspace"));
  EXPECT_EQ(refusalOf([&] { budget.take("ann", InstanceId("i-2")); }), "");
  EXPECT_EQ(refusalOf([&] { budget.take("ann"); }), "");
}

TEST(OpenBudget, isTheServersToo) {
  OpenBudget budget({.total = 2});
  auto first = budget.take("ann");
  auto second = budget.take("ben");
  EXPECT_THAT(refusalOf([&] { budget.take("zoe"); }), HasSubstr("Limit of 2 open streams and tunnels of this server"));
}

TEST(OpenBudget, keepsAQuarterForWhatItIsReservedFor) {
  using enum OpenBudget::Claim;
  for (const OpenLimits& limits :
       {OpenLimits{.perUser = 4, .reservedFor = "VS Code"}, OpenLimits{.perInstance = 4, .reservedFor = "VS Code"},
        OpenLimits{.total = 4, .reservedFor = "VS Code"}}) {
    OpenBudget budget(limits);
    const InstanceId instance("i-1");
    std::vector<OpenBudget::Share> shares;
    for (int i = 0; i < 3; ++i) shares.push_back(budget.take("ann", instance));
    EXPECT_THAT(refusalOf([&] { budget.take("ann", instance); }), HasSubstr("(more are reserved for VS Code)"));
    shares.push_back(budget.take("ann", instance, 0, Reserved));
    EXPECT_THAT(refusalOf([&] { budget.take("ann", instance, 0, Reserved); }), HasSubstr("Limit of 4 open streams and tunnels"));
  }
}

TEST(OpenBudget, countsBytesThatAreHeld) {
  OpenBudget budget({.bytesPerUser = 10 * 1024 * 1024});
  constexpr std::size_t kShare = 4 * 1024 * 1024;
  auto first = budget.take("ann", InstanceId("i-1"), kShare);
  {
    auto second = budget.takeBytes("ann", kShare);
    EXPECT_THAT(refusalOf([&] { budget.take("ann", InstanceId("i-1"), kShare); }), HasSubstr("Limit of 10 MiB"));
    EXPECT_THAT(refusalOf([&] { budget.takeBytes("ann", kShare); }), HasSubstr("Limit of 10 MiB"));
    EXPECT_EQ(refusalOf([&] { budget.takeBytes("ben", kShare); }), "");
    EXPECT_EQ(refusalOf([&] { budget.take("ann", InstanceId("i-1")); }), "") << "a stream holds no bytes";
  }
  EXPECT_EQ(refusalOf([&] { budget.takeBytes("ann", kShare); }), "");
}

TEST(OpenBudget, allowsOneResponseOfAnySize) {
  OpenBudget budget({.bytesPerUser = 10});
  auto large = budget.takeBytes("ann", 1000);
  EXPECT_NE(refusalOf([&] { budget.takeBytes("ann", 1); }), "");
}

TEST(OpenBudget, aMovedShareIsReleasedOnceAndMayOutliveTheBudget) {
  std::optional<OpenBudget::Share> left;
  {
    OpenBudget budget({.perUser = 1});
    {
      auto place = budget.take("ann");
      auto moved = std::move(place);
    }
    EXPECT_EQ(budget.open(), 0u);
    left.emplace(budget.take("ann"));
    EXPECT_EQ(budget.open(), 1u);
  }
  left.reset();
}

}  // namespace
}  // namespace swarm
