// Which processes stand below one: where the agent is not process 1 (a Machine of Fly's has an init of its own), it may not signal
// everybody.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

namespace swarm::agent {

/// Children, their children and so on, as /proc shows them at this moment.
std::vector<pid_t> descendantsOf(pid_t ancestor, const std::filesystem::path& proc = "/proc");

}  // namespace swarm::agent
