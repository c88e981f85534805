// The affinity cookie is sent back to its own path only.
#include "provider/flyio/api/transport/affinity_cookies.h"

#include <gtest/gtest.h>

namespace swarm::flyio {
namespace {

constexpr std::string_view kMachines = "/v1/apps/a1/machines?limit=3";

TEST(AffinityCookies, isSentBackBelowItsPathOnly) {
  AffinityCookies cookies;
  SteadyTime now{std::chrono::hours(1)};
  cookies.keep("fly_flaps_affinity=abc; Path=/v1/apps/a1; HttpOnly", kMachines, now);
  EXPECT_EQ(cookies.headerFor("/v1/apps/a1/machines/m1?x=1", now), "fly_flaps_affinity=abc");
  EXPECT_EQ(cookies.headerFor("/v1/apps/a1", now), "fly_flaps_affinity=abc");
  EXPECT_EQ(cookies.headerFor("/v1/apps/a12/machines", now), "");
  EXPECT_EQ(cookies.headerFor("/v1/orgs/personal/machines", now), "");
}

TEST(AffinityCookies, withoutAPathItIsForTheRequestsFolder) {
  AffinityCookies cookies;
  SteadyTime now{std::chrono::hours(1)};
  cookies.keep("fly_flaps_affinity=abc", kMachines, now);
  EXPECT_EQ(cookies.headerFor("/v1/apps/a1/volumes", now), "fly_flaps_affinity=abc");
  EXPECT_EQ(cookies.headerFor("/v1/apps/a2/volumes", now), "");
}

TEST(AffinityCookies, theLongestPathWins) {
  AffinityCookies cookies;
  SteadyTime now{std::chrono::hours(1)};
  cookies.keep("fly_flaps_affinity=all; path=/", kMachines, now);
  cookies.keep("fly_flaps_affinity=one; path=/v1/apps/a1/", kMachines, now);
  EXPECT_EQ(cookies.headerFor("/v1/apps/a1/machines", now), "fly_flaps_affinity=one");
  EXPECT_EQ(cookies.headerFor("/v1/platform/regions", now), "fly_flaps_affinity=all");
}

TEST(AffinityCookies, endsWithItsAgeAndIgnoresOthers) {
  AffinityCookies cookies;
  SteadyTime now{std::chrono::hours(1)};
  cookies.keep("session=secret; path=/", kMachines, now);
  cookies.keep("nonsense", kMachines, now);
  EXPECT_EQ(cookies.size(), 0u);
  cookies.keep("fly_flaps_affinity=abc; Path=/; Max-Age=5", kMachines, now);
  EXPECT_NE(cookies.headerFor("/v1", now + std::chrono::seconds(4)), "");
  EXPECT_EQ(cookies.headerFor("/v1", now + std::chrono::seconds(5)), "");
  cookies.keep("fly_flaps_affinity=; Path=/; Max-Age=0", kMachines, now);
  EXPECT_EQ(cookies.size(), 0u);
}

}  // namespace
}  // namespace swarm::flyio
