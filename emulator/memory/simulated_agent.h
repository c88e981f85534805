// What answers on the agent's port in a simulated Machine: its protocol, as far as readiness, usage, commands and a page need it.
#pragma once

#include "emulator/memory/guest.h"

namespace swarm::emulator {

/// Serves one connection until its end.
awaitable<void> serveSimulatedAgent(net::StreamPtr stream, GuestPtr guest);

}  // namespace swarm::emulator
