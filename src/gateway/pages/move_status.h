// The progress of a move, as pages and open tabs show it.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

#include "controller/state/routes.h"

namespace swarm::gateway {

/// "about 20 s", "about 3 min"; empty: unknown.
std::string aboutTime(std::int64_t seconds);
/// `moving` of /.swarm/status; null: no move is in progress.
boost::json::value movingJson(const MoveProgress* moving);
/// Always between 0 and 100.
int percentOf(const MoveProgress& moving);

}  // namespace swarm::gateway
