// The state of a process from /proc: its parent, and whether it runs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace swarm::agent {

struct ProcessState {
  pid_t parent = 0;
  std::uint64_t started = 0;  ///< in clock ticks since boot: identifies the process uniquely together with the pid
  bool still = false;         ///< none of its threads runs: stopped, traced or ended
};

/// Empty: the process does not exist (any more).
std::optional<ProcessState> stateOf(pid_t pid, const std::filesystem::path& proc = "/proc");

/// The part of a stat file after the process's name, from " state ppid" on. Empty: the process does not exist (any more).
std::string statBehindName(const std::filesystem::path& stat);

}  // namespace swarm::agent
