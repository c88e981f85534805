// Where a new instance goes.
#include <gtest/gtest.h>

#include "controller/placement.h"

namespace swarm::control {
namespace {

using Candidates = std::vector<PlacementCandidate>;

const PlacementCandidate kDocker{ProviderType::docker, ProviderHealth::healthy, 3, {6000, 8000}, {}};
const PlacementCandidate kFly{ProviderType::flyio, ProviderHealth::healthy, 9, {90'000, 0}, {"ams", "fra"}};

ProviderType chosen(PlacementPolicy policy, const Candidates& candidates, PlacementRequest request = {},
                    std::optional<ProviderType> preferred = std::nullopt) {
  return makePlacement(policy, preferred)->choose(request, candidates);
}

ErrorCode refusal(const Candidates& candidates, PlacementRequest request) {
  try {
    chosen(PlacementPolicy::fixed, candidates, std::move(request));
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::Internal;
}

TEST(Placement, takesWhatTheRequestNamesAlsoWhenItIsDown) {
  PlacementCandidate down = kFly;
  down.health = ProviderHealth::unavailable;
  EXPECT_EQ(chosen(PlacementPolicy::cheapest, {kDocker, down}, {ProviderType::flyio, {}}), ProviderType::flyio);
  EXPECT_EQ(refusal({kDocker}, {ProviderType::flyio, {}}), ErrorCode::InvalidArgument);
  EXPECT_EQ(refusal({}, {}), ErrorCode::Unavailable);
}

TEST(Placement, isDockerWhenNobodyChose) {
  EXPECT_EQ(chosen(PlacementPolicy::fixed, {kFly, kDocker}), ProviderType::docker);
  EXPECT_EQ(chosen(PlacementPolicy::fixed, {kFly}), ProviderType::flyio);
  EXPECT_EQ(chosen(PlacementPolicy::fixed, {kFly, kDocker}, {}, ProviderType::flyio), ProviderType::flyio);
}

TEST(Placement, followsTheRegion) {
  for (PlacementPolicy policy : {PlacementPolicy::fixed, PlacementPolicy::cheapest, PlacementPolicy::leastLoaded})
    EXPECT_EQ(chosen(policy, {kDocker, kFly}, {std::nullopt, {"nrt", "fra"}}), ProviderType::flyio);
  EXPECT_EQ(refusal({kDocker, kFly}, {std::nullopt, {"nowhere"}}), ErrorCode::InvalidArgument);
}

TEST(Placement, leavesOutWhatIsDownUnlessNothingElseIsThere) {
  PlacementCandidate down = kDocker;
  down.health = ProviderHealth::unavailable;
  EXPECT_EQ(chosen(PlacementPolicy::fixed, {down, kFly}), ProviderType::flyio);
  EXPECT_EQ(chosen(PlacementPolicy::fixed, {down}), ProviderType::docker);
}

TEST(Placement, canGoToTheLeastLoaded) {
  EXPECT_EQ(chosen(PlacementPolicy::leastLoaded, {kDocker, kFly}), ProviderType::flyio) << "Fly has no end";
  PlacementCandidate empty = kDocker;
  empty.memory.used = 0;
  EXPECT_EQ(chosen(PlacementPolicy::leastLoaded, {empty, kFly}), ProviderType::docker) << "equally loaded: fewer instances";
}

TEST(Placement, canGoToTheCheapest) { EXPECT_EQ(chosen(PlacementPolicy::cheapest, {kFly, kDocker}), ProviderType::docker); }

}  // namespace
}  // namespace swarm::control
