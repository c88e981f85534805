// Processes as /proc shows them at this moment: which there are, their parents, and whether they run.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace swarm::agent {

struct ProcessState {
  pid_t parent = 0;
  std::uint64_t started = 0;  ///< in clock ticks since boot: identifies the process uniquely together with the pid
  bool still = false;         ///< none of its threads runs: stopped, traced or ended
};

/// Empty: the process does not exist (any more).
std::optional<ProcessState> stateOf(pid_t pid, const std::filesystem::path& proc = "/proc");

std::vector<pid_t> processesIn(const std::filesystem::path& proc = "/proc");

/// Children, their children and so on: where the agent is not process 1 (a Fly Machine has an init of its own), it must not signal all
/// processes.
std::vector<pid_t> descendantsOf(pid_t ancestor, const std::filesystem::path& proc = "/proc");

}  // namespace swarm::agent
