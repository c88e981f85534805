// What answers on the agent's port in a simulated Machine: its protocol, as far as readiness, usage, commands and a page need it.
#pragma once

#include "emulator/memory/guest.h"

namespace swarm::emulator {

inline constexpr std::uint16_t kSimulatedAgentPort = 7777;  ///< agent::kPort; the emulator knows nothing of our agent otherwise

/// Serves one connection until its end.
awaitable<void> serveSimulatedAgent(net::StreamPtr stream, GuestPtr guest);

}  // namespace swarm::emulator
