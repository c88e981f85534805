// A tiny image for Machines: the Docker tests' busybox, and a main program that binds storage as the agent does.
#pragma once

#include <string>

#include "base/id.h"
#include "conformance/provider/docker/test_engine.h"

namespace swarm::testing {

/// Made once per Engine; the name holds a hash of what it is made from.
std::string ensureFlyImage(CoroutineRunner& runner);

}  // namespace swarm::testing
