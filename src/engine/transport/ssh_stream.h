// Streams to a Docker Engine on another machine: each is one process of the system's ssh that runs `docker system dial-stdio` there.
#pragma once

#include "engine/transport/endpoint.h"

namespace swarm::engine {

/// Each stream has been answered by an Engine, or the connector throws Error(Unavailable | DeadlineExceeded) with what ssh reported. The
/// process ends with its stream. One loop only.
net::Connector sshConnector(const Endpoint& endpoint);

}  // namespace swarm::engine
