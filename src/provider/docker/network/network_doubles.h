// Networks of one name: the Engine allows several. It makes a second one when it is asked again before the first request has ended, as by
// a server that was killed and started at once; and any other program may make one of the same name. So a network is told by its id.
#pragma once

#include <string>
#include <vector>

#include "provider/docker/engine/engine_client.h"

namespace swarm::docker {

struct NamedNetwork {
  std::string created;  ///< RFC 3339 in the Engine's own zone: in order as text
  std::string id;
  json::value listed;  ///< what the Engine says of it
};

/// Those of exactly that name, oldest first. `filter`: what else the Engine shall filter by.
boost::asio::awaitable<std::vector<NamedNetwork>> networksNamed(EngineClient& engine, std::string name, json::object filter,
                                                                Deadline deadline);

/// Whether the Engine did not do it because a network's name stands for several.
bool saysNetworkIsDouble(const EngineReply& reply);

/// Of the networks of exactly that name that `filter` lets through (the caller's own), leaves one: the oldest, unless a younger one is in
/// use. Networks in use stay.
boost::asio::awaitable<void> removeDoubleNetworks(EngineClient& engine, std::string name, json::object filter, Deadline deadline);

}  // namespace swarm::docker
