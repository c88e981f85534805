// The kinds of a configuration's members, as Fly's server has them: what is of another kind is refused as Go refuses it.
#pragma once

#include <boost/json/object.hpp>

namespace swarm::emulator {

/// Throws Refusal(400). Members that are not known, and nulls, are skipped, as Go does.
void checkTypes(const boost::json::object& config);

}  // namespace swarm::emulator
