// Two networks of one name: the Engine makes them when it is asked again before the first request has ended, as by a server that was
// killed and started anew, and then starts no container on that name (moby checks names without a lock).
#pragma once

#include <string>

#include "provider/docker/engine_client.h"

namespace swarm::docker {

/// Whether the Engine did not do it because a network's name stands for several.
bool saysNetworkIsDouble(const EngineReply& reply);

/// Leaves one network of exactly that name: the oldest, unless a younger one is in use. Networks in use stay.
boost::asio::awaitable<void> removeDoubleNetworks(EngineClient& engine, std::string name, Deadline deadline);

}  // namespace swarm::docker
