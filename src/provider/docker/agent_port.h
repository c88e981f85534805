// The agent's port and file as this layer needs them: providers stand below src/agent/, whose protocol.h names the same values (a test in
// tests/integration/docker compares them).
#pragma once

#include <cstdint>
#include <string_view>

namespace swarm::docker {

inline constexpr std::int64_t kAgentPort = 7777;
inline constexpr std::string_view kAgentPortKey = "7777/tcp";
inline constexpr std::string_view kAgentConfigPath = "/etc/swarm/agent.json";

}  // namespace swarm::docker
