// What instances and their places hold, as claims of the ledger. Pure.
#pragma once

#include "controller/state/registry.h"

namespace swarm::control {

enum class Runs { No, Yes };

/// Of an instance with these resources; without CPU and memory unless it runs.
Amounts amountsOf(const ResourceConfig& resources, const std::vector<StorageConfig>& storage, Runs runs);
/// Of the instance's current place.
Claim claimOf(const Entry& entry);
/// Of another place.
Claim claimOf(const PlaceRecord& place);

}  // namespace swarm::control
