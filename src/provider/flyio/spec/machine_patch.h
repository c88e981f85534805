// Changes of a Machine's configuration that leave the rest as it is. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "provider/flyio/api/machine.h"

namespace swarm::flyio {

namespace json = boost::json;

/// `current` with the changes in `wanted`; mounts and members that are not ours stay as they are.
json::object patchedConfig(const json::object& current, const json::object& wanted);
json::object withMount(json::object config, const std::string& volume_id);

/// The volumes that become superfluous when all of this Machine's volume is on its own host; and a configuration that adds one.
std::vector<std::string> replacedBy(const Machine& machine);
json::object replacing(json::object config, const std::string& volume_id);

}  // namespace swarm::flyio
