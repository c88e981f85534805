// Leases (§6): exclusive, temporary permission to change a Machine.
#pragma once

#include "emulator/api/call.h"

namespace swarm::emulator {

/// The current lease; null if there is none, or it has expired.
MachineLease* leaseOf(const Core& core, Machine& machine);
/// Throws the 409 of E16 when another owner holds a lease.
void requireLease(const Core& core, const Call& call, Machine& machine);
MachineLease& takeLease(Core& core, const Call& call, const MachinePtr& machine, std::int64_t ttl_seconds, std::string description);

}  // namespace swarm::emulator
