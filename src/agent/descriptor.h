// Descriptor: owns one file descriptor; every one in the agent is close-on-exec.
#pragma once

#include "transfer/descriptor.h"

namespace swarm::agent {
using transfer::Descriptor;
}  // namespace swarm::agent
