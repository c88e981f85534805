// Placement: selects the provider of a new instance.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/types/provider_type.h"
#include "model/types/swarm_status.h"
#include "provider/provider.h"

namespace swarm::control {

/// The current state of a provider that could host an instance.
struct PlacementCandidate {
  ProviderType type = ProviderType::docker;
  ProviderHealth health = ProviderHealth::healthy;
  std::int64_t instances = 0;
  UsedTotal memory;                  ///< MiB that running instances may use, of the provider's capacity; total 0: unknown
  std::vector<std::string> regions;  ///< offered regions; empty: unknown
  int costRank = 0;                  ///< ProviderInfo::costRank
};

/// What the request demands.
struct PlacementRequest {
  std::optional<ProviderType> provider;  ///< present: only this one
  std::vector<std::string> regions;      ///< not empty: only providers that offer one of these
};

/// Pure, thread-safe. Throws Error(InvalidArgument) for a provider or region that is not configured, Error(Unavailable) without any
/// provider.
class Placement {
 public:
  virtual ~Placement() = default;
  ProviderType choose(const PlacementRequest& request, const std::vector<PlacementCandidate>& candidates) const;

 protected:
  /// The best of `eligible` (never empty): the candidates that the request allows, available or not.
  virtual ProviderType best(const std::vector<PlacementCandidate>& eligible) const = 0;
};

/// Those of the requested regions that the provider offers, in the requested order. Throws Error(InvalidArgument) with the list of what it
/// offers when that is none of them; `field`: where the request names them, as a JSON pointer.
std::vector<std::string> offeredRegions(const Provider& provider, std::vector<std::string> regions, std::string field);

/// `preferred`: for PlacementPolicy::fixed; absent: the cheapest candidate.
std::unique_ptr<Placement> makePlacement(PlacementPolicy policy, std::optional<ProviderType> preferred);

}  // namespace swarm::control
