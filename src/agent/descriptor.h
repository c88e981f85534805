// Descriptor: owns one file descriptor; all descriptors of the agent are close-on-exec.
#pragma once

#include "transfer/descriptor.h"

namespace swarm::agent {
using transfer::Descriptor;
}  // namespace swarm::agent
