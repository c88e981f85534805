// The placement policies.
#include "controller/placement/placement.h"

#include <algorithm>

#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::control {
namespace {

using Candidates = std::vector<PlacementCandidate>;

bool offersOneOf(const PlacementCandidate& candidate, const std::vector<std::string>& regions) {
  return std::ranges::find_first_of(regions, candidate.regions) != regions.end();
}

/// The available ones; all of them when none is available.
Candidates upOrAll(const Candidates& eligible) {
  Candidates up = eligible;
  std::erase_if(up, [](const PlacementCandidate& candidate) { return candidate.health == ProviderHealth::unavailable; });
  return up.empty() ? eligible : up;
}

/// Always the same provider, also while it is unavailable: an instance meant for this machine must not be created, and billed, elsewhere
/// because an Engine restarts.
class Fixed final : public Placement {
 public:
  explicit Fixed(std::optional<ProviderType> preferred) : preferred_(preferred) {}

 private:
  ProviderType best(const Candidates& eligible) const override {
    if (preferred_ && std::ranges::find(eligible, *preferred_, &PlacementCandidate::type) != eligible.end()) return *preferred_;
    return std::ranges::min_element(eligible, {}, &PlacementCandidate::costRank)->type;
  }

  std::optional<ProviderType> preferred_;
};

/// The provider with the smallest part of its memory in use (unknown capacity counts as empty), then the one with fewer instances.
class LeastLoaded final : public Placement {
  static double load(const PlacementCandidate& candidate) {
    return candidate.memory.total > 0 ? candidate.memory.used / candidate.memory.total : 0;
  }
  ProviderType best(const Candidates& eligible) const override {
    Candidates up = upOrAll(eligible);
    auto least = std::ranges::min_element(up, [](const PlacementCandidate& a, const PlacementCandidate& b) {
      return std::pair(load(a), a.instances) < std::pair(load(b), b.instances);
    });
    return least->type;
  }
};

/// By ProviderInfo::costRank.
class CheapestFirst final : public Placement {
  ProviderType best(const Candidates& eligible) const override {
    Candidates up = upOrAll(eligible);
    return std::ranges::min_element(up, {}, &PlacementCandidate::costRank)->type;
  }
};

Error noSuchProvider(ProviderType type) {
  return Error(ErrorCode::InvalidArgument, format("This server has no provider \"{}\".", enumName(type)))
      .withField("/provider", "is not configured on this server");
}

}  // namespace

ProviderType Placement::choose(const PlacementRequest& request, const Candidates& candidates) const {
  if (candidates.empty()) throw Error(ErrorCode::Unavailable, "The server has no provider.");
  if (request.provider) {
    if (std::ranges::find(candidates, *request.provider, &PlacementCandidate::type) == candidates.end())
      throw noSuchProvider(*request.provider);
    return *request.provider;
  }
  Candidates eligible = candidates;
  if (!request.regions.empty()) {
    std::erase_if(eligible, [&](const PlacementCandidate& candidate) { return !offersOneOf(candidate, request.regions); });
    if (eligible.empty())
      throw Error(ErrorCode::InvalidArgument, format("No provider of this server has the region \"{}\".", request.regions.front()))
          .withField("/network/regions", "is offered by no configured provider");
  }
  return best(eligible);
}

std::vector<std::string> offeredRegions(const Provider& provider, std::vector<std::string> regions, std::string field) {
  if (regions.empty()) return regions;
  const ProviderCapabilities capabilities = provider.getProviderCapabilities();
  const std::vector<std::string>& offered = capabilities.supportedRegions;
  const std::string first = regions.front();
  std::string known;
  for (const std::string& one : offered) known += (known.empty() ? "" : ", ") + one;
  // A provider with several regions that lists none has not responded yet, and checks the regions itself.
  bool is_known = !offered.empty() || !capabilities.supportsMultiRegion;
  if (is_known) std::erase_if(regions, [&](const std::string& one) { return std::ranges::find(offered, one) == offered.end(); });
  if (regions.empty())
    throw Error(ErrorCode::InvalidArgument, format("The provider \"{}\" has no region \"{}\"{}.", enumName(provider.type()), first,
                                                   known.empty() ? std::string() : format("; it has {}", known)))
        .withField(std::move(field), "is not offered by the provider");
  return regions;
}

std::unique_ptr<Placement> makePlacement(PlacementPolicy policy, std::optional<ProviderType> preferred) {
  switch (policy) {
    case PlacementPolicy::leastLoaded:
      return std::make_unique<LeastLoaded>();
    case PlacementPolicy::cheapest:
      return std::make_unique<CheapestFirst>();
    case PlacementPolicy::fixed:
      break;
  }
  return std::make_unique<Fixed>(preferred);
}

}  // namespace swarm::control
