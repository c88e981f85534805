// What a provider says of an instance, taken over into its record.
#pragma once

#include "controller/state/core.h"

namespace swarm::control {

/// What runs the instance's processes: another one means another root file system.
inline bool isMachine(const ExternalResource& resource) { return resource.kind == "container" || resource.kind == "machine"; }

/// Takes over addresses, limits and ids; the status is the caller's business.
void adoptFacts(const Core& core, Entry& entry, const ProviderInstance& observed);

}  // namespace swarm::control
