// What /proc tells of a process's life: who started it, and whether it runs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace swarm::agent {

struct ProcessState {
  pid_t parent = 0;
  std::uint64_t started = 0;  ///< in clock ticks since boot: with the pid it names one process for good
  bool still = false;         ///< none of its threads runs: stopped, traced or ended
};

/// Nothing: there is no such process (any more).
std::optional<ProcessState> stateOf(pid_t pid, const std::filesystem::path& proc = "/proc");

/// What a stat file says behind the process's name, from " state ppid" on. Empty: there is no such process (any more).
std::string statBehindName(const std::filesystem::path& stat);

}  // namespace swarm::agent
