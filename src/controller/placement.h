// Placement: at which provider a new instance is made.
#pragma once

#include <optional>
#include <vector>

#include "controller/controller.h"

namespace swarm::control {

/// A provider that could take an instance.
struct PlacementCandidate {
  ProviderType type;
  ProviderHealth health = ProviderHealth::healthy;
};

/// The provider that the request names, else Docker, else the first one. Throws Error(InvalidArgument) for a provider that is not
/// configured, Error(Unavailable) when there is none at all.
ProviderType choosePlacement(const std::optional<ProviderType>& asked, const std::vector<PlacementCandidate>& candidates);
ProviderType defaultProvider(const std::vector<PlacementCandidate>& candidates);

}  // namespace swarm::control
