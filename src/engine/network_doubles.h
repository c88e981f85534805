// Networks of one name: the Engine allows several. It makes a second one for a request that arrives before an earlier one has ended, as
// from a server that was killed and started at once; and any other program may make one of the same name. So its id identifies a network.
#pragma once

#include <string>
#include <vector>

#include "engine/client.h"

namespace swarm::engine {

struct NamedNetwork {
  std::string created;  ///< RFC 3339 in the Engine's own zone: in order as text
  std::string id;
  json::value listed;  ///< as the Engine lists it
};

/// Those of exactly that name, oldest first. `filter`: further filters for the Engine.
awaitable<std::vector<NamedNetwork>> networksNamed(Client& engine, std::string name, json::object filter, Deadline deadline);

/// Of the networks of exactly that name that pass `filter` (the caller's own), leaves one: the oldest, unless a younger one is in use.
/// Networks in use stay.
awaitable<void> removeDoubleNetworks(Client& engine, std::string name, json::object filter, Deadline deadline);

}  // namespace swarm::engine
