// Leases (§6): who may change a Machine for a while.
#pragma once

#include "emulator/api/call.h"

namespace swarm::emulator {

/// The lease that holds now; null when there is none, or its time is over.
MachineLease* leaseOf(const Core& core, Machine& machine);
/// Throws the 409 of E16 when someone else's lease holds.
void requireLease(const Core& core, const Call& call, Machine& machine);
MachineLease& takeLease(Core& core, const Call& call, const MachinePtr& machine, std::int64_t ttl_seconds, std::string description);

}  // namespace swarm::emulator
