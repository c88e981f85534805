// How a move in progress is told to people and to open tabs.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

#include "controller/state/routes.h"

namespace swarm::gateway {

/// "about 20 s", "about 3 min"; empty: not known.
std::string aboutTime(std::int64_t seconds);
/// `moving` of /.swarm/status; null: it is not being moved.
boost::json::value movingJson(const MoveProgress* moving);
/// Between 0 and 100, whatever the controller says.
int percentOf(const MoveProgress& moving);

}  // namespace swarm::gateway
