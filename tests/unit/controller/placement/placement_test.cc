// The provider and region of a new instance.
#include <gtest/gtest.h>

#include "controller/placement/placement.h"
#include "provider/fake/fake_provider.h"

namespace swarm::control {
namespace {

using Candidates = std::vector<PlacementCandidate>;

const PlacementCandidate kDocker{ProviderType::docker, ProviderHealth::healthy, 3, {6000, 8000}, {}, 0};
const PlacementCandidate kFly{ProviderType::flyio, ProviderHealth::healthy, 9, {90'000, 0}, {"ams", "fra"}, 1};

/// The configuration that the fake provider, as `type` with the regions `offered`, writes.
NetworkConfig applied(ProviderType type, const std::vector<std::string>& regions, std::vector<std::string> offered) {
  RealClock clock;
  fake::FakeWorld world(clock);
  fake::FakeOptions options;
  options.type = type;
  options.regions = std::move(offered);
  fake::FakeProvider provider(world, clock, options);
  NetworkConfig network;
  applyRegions(network, provider, regions);
  return network;
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

TEST(Placement, writesTheRegionWhereTheProviderReadsIt) {
  const NetworkConfig docker = applied(ProviderType::docker, {"ams", "box2"}, {"local", "box2"});
  ASSERT_TRUE(docker.docker);
  EXPECT_EQ(docker.docker->host, "box2");
  EXPECT_FALSE(docker.flyio);
  const NetworkConfig fly = applied(ProviderType::flyio, {"box2", "fra", "ams"}, {"ams", "fra"});
  ASSERT_TRUE(fly.flyio);
  EXPECT_EQ(fly.flyio->regions, (std::vector<std::string>{"fra", "ams"})) << "in the order of the request";
  EXPECT_FALSE(fly.docker);
  EXPECT_FALSE(applied(ProviderType::docker, {}, {"local"}).docker);
}

TEST(Placement, refusesARegionThatTheRequestedProviderDoesNotOffer) {
  for (const std::vector<std::string>& offered : {std::vector<std::string>{"local", "box2"}, {}})
    EXPECT_THROW(applied(ProviderType::docker, {"ams"}, offered), Error);
  EXPECT_THROW(applied(ProviderType::flyio, {"box2"}, {"ams"}), Error);
  EXPECT_EQ(applied(ProviderType::flyio, {"ams"}, {}).flyio->regions, std::vector<std::string>{"ams"})
      << "Fly has not responded yet: it checks the region itself";
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
