// Which Machine serves a port of an app (§9): used by the edge proxy.
#pragma once

#include "emulator/rules/core.h"

namespace swarm::emulator {

awaitable<std::expected<EdgeTarget, EdgeRefusal>> lookUpEdgeTarget(Core& core, EdgeQuery query);
std::vector<EdgeService> listEdgeServices(const Core& core);
std::vector<EdgeService> listEdgeServicesOf(const Core& core, const std::string& app);

}  // namespace swarm::emulator
