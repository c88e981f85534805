// The types of a configuration's members, as in Fly's server: a wrong type is refused with Go's error.
#pragma once

#include <boost/json/object.hpp>

namespace swarm::emulator {

/// Throws Refusal(400). Unknown members and nulls are skipped, as in Go.
void checkTypes(const boost::json::object& config);

}  // namespace swarm::emulator
