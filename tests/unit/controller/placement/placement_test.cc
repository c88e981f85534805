// The provider and region of a new instance.
#include <gtest/gtest.h>

#include "controller/placement/placement.h"
#include "provider/fake/fake_provider.h"

namespace swarm::control {
namespace {

using Candidates = std::vector<PlacementCandidate>;

const PlacementCandidate kDocker{ProviderType::docker, ProviderHealth::healthy, 3, {6000, 8000}, {}, 0};
const PlacementCandidate kFly{ProviderType::flyio, ProviderHealth::healthy, 9, {90'000, 0}, {"ams", "fra"}, 1};

using Regions = std::vector<std::string>;

/// Those that the fake provider, as `type` with the regions `offered`, can use.
Regions usable(ProviderType type, Regions regions, Regions offered) {
  RealClock clock;
  fake::FakeWorld world(clock);
  fake::FakeOptions options;
  options.type = type;
  options.regions = std::move(offered);
  fake::FakeProvider provider(world, clock, options);
  return offeredRegions(provider, std::move(regions), "/region");
}

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

TEST(Placement, selectsTheRequestedProviderAlsoWhileItIsUnavailable) {
  PlacementCandidate down = kFly;
  down.health = ProviderHealth::unavailable;
  EXPECT_EQ(chosen(PlacementPolicy::cheapest, {kDocker, down}, {ProviderType::flyio, {}}), ProviderType::flyio);
  EXPECT_EQ(refusal({kDocker}, {ProviderType::flyio, {}}), ErrorCode::InvalidArgument);
  EXPECT_EQ(refusal({}, {}), ErrorCode::Unavailable);
}

TEST(Placement, isDockerByDefault) {
  EXPECT_EQ(chosen(PlacementPolicy::fixed, {kFly, kDocker}), ProviderType::docker);
  EXPECT_EQ(chosen(PlacementPolicy::fixed, {kFly}), ProviderType::flyio);
  EXPECT_EQ(chosen(PlacementPolicy::fixed, {kFly, kDocker}, {}, ProviderType::flyio), ProviderType::flyio);
}

TEST(Placement, followsTheRegion) {
  for (PlacementPolicy policy : {PlacementPolicy::fixed, PlacementPolicy::cheapest, PlacementPolicy::leastLoaded})
    EXPECT_EQ(chosen(policy, {kDocker, kFly}, {std::nullopt, {"nrt", "fra"}}), ProviderType::flyio);
  EXPECT_EQ(refusal({kDocker, kFly}, {std::nullopt, {"nowhere"}}), ErrorCode::InvalidArgument);
}

TEST(Placement, takesTheNameOfADockerHostAsARegion) {
  PlacementCandidate hosts = kDocker;
  hosts.regions = {"local", "box2"};
  for (PlacementPolicy policy : {PlacementPolicy::fixed, PlacementPolicy::cheapest, PlacementPolicy::leastLoaded}) {
    EXPECT_EQ(chosen(policy, {hosts, kFly}, {std::nullopt, {"box2"}}), ProviderType::docker);
    EXPECT_EQ(chosen(policy, {hosts, kFly}, {std::nullopt, {"ams"}}), ProviderType::flyio);
  }
}

TEST(Placement, usesTheRegionsThatTheProviderOffers) {
  EXPECT_EQ(usable(ProviderType::docker, {"ams", "box2"}, {"local", "box2"}), Regions{"box2"});
  EXPECT_EQ(usable(ProviderType::flyio, {"box2", "fra", "ams"}, {"ams", "fra"}), (Regions{"fra", "ams"})) << "in the order of the request";
  EXPECT_EQ(usable(ProviderType::docker, {}, {"local"}), Regions{});
}

TEST(Placement, refusesARegionThatTheRequestedProviderDoesNotOffer) {
  for (const Regions& offered : {Regions{"local", "box2"}, Regions{}}) EXPECT_THROW(usable(ProviderType::docker, {"ams"}, offered), Error);
  EXPECT_THROW(usable(ProviderType::flyio, {"box2"}, {"ams"}), Error);
  EXPECT_EQ(usable(ProviderType::flyio, {"ams"}, {}), Regions{"ams"}) << "Fly has not responded yet: it checks the region itself";
}

TEST(Placement, skipsUnavailableProvidersUnlessAllAre) {
  PlacementCandidate down = kDocker;
  down.health = ProviderHealth::unavailable;
  for (PlacementPolicy policy : {PlacementPolicy::cheapest, PlacementPolicy::leastLoaded}) {
    EXPECT_EQ(chosen(policy, {down, kFly}), ProviderType::flyio);
    EXPECT_EQ(chosen(policy, {down}), ProviderType::docker);
  }
}

TEST(Placement, keepsTheFixedProviderWhileItIsUnavailable) {
  PlacementCandidate down = kDocker;
  down.health = ProviderHealth::unavailable;
  EXPECT_EQ(chosen(PlacementPolicy::fixed, {down, kFly}), ProviderType::docker);
}

TEST(Placement, selectsTheLeastLoaded) {
  EXPECT_EQ(chosen(PlacementPolicy::leastLoaded, {kDocker, kFly}), ProviderType::flyio) << "Fly has no end";
  PlacementCandidate empty = kDocker;
  empty.memory.used = 0;
  EXPECT_EQ(chosen(PlacementPolicy::leastLoaded, {empty, kFly}), ProviderType::docker) << "equally loaded: fewer instances";
}

TEST(Placement, selectsTheCheapest) { EXPECT_EQ(chosen(PlacementPolicy::cheapest, {kFly, kDocker}), ProviderType::docker); }

}  // namespace
}  // namespace swarm::control
