// What `swarm doctor` finds on the server's machine: its configuration, and what the server needs.
#pragma once

#include "cli/cli.h"

namespace swarm {

/// Changes nothing. Checks the providers while no server runs; a running one does that itself.
cli::MachineReport examineMachine(const cli::ServeFlags& flags);

}  // namespace swarm
