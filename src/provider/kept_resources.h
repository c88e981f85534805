// The requested resources of an instance, as text in a label or in metadata: a provider itself reports only some of them.
#pragma once

#include <string>
#include <string_view>

#include "model/types/instance_config.h"

namespace swarm {

std::string keptText(const ResourceConfig& resources);
/// Also reads the text of earlier versions. What it lacks has its default.
ResourceConfig readKeptResources(std::string_view text);

}  // namespace swarm
