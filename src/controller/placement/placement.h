// Placement: at which provider a new instance is made.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/types.h"
#include "provider/provider.h"

namespace swarm::control {

/// A provider that could take an instance, as it is now.
struct PlacementCandidate {
  ProviderType type = ProviderType::docker;
  ProviderHealth health = ProviderHealth::healthy;
  std::int64_t instances = 0;
  UsedTotal memory;                  ///< MiB that running instances may use, of what the provider has; total 0: no known end
  std::vector<std::string> regions;  ///< that it offers; empty: it knows none
  int costRank = 0;                  ///< ProviderInfo::costRank
};

/// What is asked for.
struct PlacementRequest {
  std::optional<ProviderType> provider;  ///< named: nothing else comes into question
  std::vector<std::string> regions;      ///< not empty: only providers that offer one of them
  std::string field = "/regions";        ///< where the request says so, for the error
};

/// Chooses; pure, thread-safe. Throws Error(InvalidArgument) for a provider or a region that nobody here has, Error(Unavailable) when there
/// is no provider at all.
class Placement {
 public:
  virtual ~Placement() = default;
  ProviderType choose(const PlacementRequest& request, const std::vector<PlacementCandidate>& candidates) const;

 protected:
  /// The best of `eligible` (never empty): those that the request allows, whether they are up or not.
  virtual ProviderType best(const std::vector<PlacementCandidate>& eligible) const = 0;
};

/// Writes into a configuration where the instance is to be at the provider that was chosen: those of the requested regions that it offers,
/// in this order. Throws Error(InvalidArgument) when it offers none of them.
void applyRegions(NetworkConfig& network, const Provider& provider, const std::vector<std::string>& regions);

/// `preferred`: for PlacementPolicy::fixed; Docker, else the first one, when it is not there.
std::unique_ptr<Placement> makePlacement(PlacementPolicy policy, std::optional<ProviderType> preferred);

}  // namespace swarm::control
