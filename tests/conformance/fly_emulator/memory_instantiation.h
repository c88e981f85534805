// The memory backend as a parameter of the suite.
#pragma once

#include <vector>

#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {

std::vector<FlyBackend> memoryBackends();

}  // namespace swarm::testing
