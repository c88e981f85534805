// [limits] of swarm.toml (docs/configuration.md).
#pragma once

#include "controller/limits/policy.h"
#include "provider/config_section.h"

namespace swarm {

/// Throws Error(InvalidArgument) with the key and what is expected.
LimitsConfig readLimits(ConfigSection section);

}  // namespace swarm
