// Which Machine serves a port of an app (§9): what the edge proxy asks.
#pragma once

#include "emulator/rules/core.h"

namespace swarm::emulator {

awaitable<std::expected<EdgeTarget, EdgeRefusal>> lookUpEdgeTarget(Core& core, EdgeQuery query);
std::vector<EdgeService> listEdgeServices(const Core& core);
std::vector<EdgeService> listEdgeServicesOf(const Core& core, const std::string& app);

}  // namespace swarm::emulator
