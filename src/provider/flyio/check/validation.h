// Checks the configuration against Fly, one part after the other.
#pragma once

#include <vector>

#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/fly_swarm.h"

namespace swarm::flyio {

awaitable<std::vector<ValidationCheck>> validateConfiguration(MachinesClient& client, const FlySwarm& swarm, Deadline deadline);

}  // namespace swarm::flyio
