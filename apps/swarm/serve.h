// `swarm serve`: wires store, auth, providers, controller, API and gateway, and runs them until a signal.
#pragma once

#include "cli/cli.h"

namespace swarm {

/// Gives the exit code. Throws Error for what keeps the server from starting (address taken, second server on one data folder, bad
/// configuration).
int serve(const cli::ServeFlags& flags);

}  // namespace swarm
