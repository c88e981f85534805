// The descendants of a process: where the agent is not process 1 (a Fly Machine has an init of its own), it must not signal all processes.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

namespace swarm::agent {

/// Children, their children and so on, as /proc shows them at this moment.
std::vector<pid_t> descendantsOf(pid_t ancestor, const std::filesystem::path& proc = "/proc");

}  // namespace swarm::agent
