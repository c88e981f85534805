// `swarm serve`: wires store, auth, providers, controller, API and gateway, and runs them until a signal.
#pragma once

#include "cli/cli.h"

namespace swarm {

/// Returns the exit code. Throws Error if the server cannot start (address in use, second server on one data folder, invalid
/// configuration).
int serve(const cli::ServeFlags& flags);

}  // namespace swarm
