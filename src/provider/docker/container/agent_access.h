// How the server reaches the agents in containers.
#pragma once

#include <vector>

#include "provider/docker/container/container_index.h"

namespace swarm::docker {

/// Throws Error(Conflict) for a container that does not run or has no address, and Error(Unprocessable) for an agent without the TLS that
/// the configuration requires.
AgentEndpoint agentEndpointOf(const ContainerDetails& container, const DockerProviderConfig& config);

/// Whether the server can reach agents, and those among `containers` that it reaches without TLS.
ValidationCheck agentsCheck(const DockerProviderConfig& config, const std::vector<ContainerRef>& containers);

}  // namespace swarm::docker
