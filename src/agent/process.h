// Starts one process: own session, given user, given descriptors. Between fork and exec only async-signal-safe calls are made.
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

#include "agent/users.h"

namespace swarm::agent {

struct SpawnRequest {
  std::vector<std::string> argv;  ///< a first word without "/" is looked for in the PATH of `env`
  std::vector<std::string> env;   ///< "K=V"
  std::string cwd = "/";
  bool cwdMayFail = false;  ///< "/" when cwd can't be entered
  UserRecord user;
  int stdinFd = -1;  ///< -1: /dev/null; each may be any descriptor above 2
  int stdoutFd = -1;
  int stderrFd = -1;
  bool terminal = false;  ///< stdinFd is a terminal, and becomes the controlling one
};

/// Why there is no process: `exitCode` is what a shell would give, 127 not found, 126 found but not startable.
struct SpawnFailure {
  int exitCode = 126;
  std::string message;  ///< one sentence
};

/// The new process's id, which is also the id of its session and group; known to have passed exec. Blocks for the time of fork and exec.
/// Someone must reap it. Signals are at their defaults in it, and limits as they were when the agent started.
std::expected<pid_t, SpawnFailure> spawnProcess(const SpawnRequest& request);

/// Lets the agent itself have as many descriptors as the hard limit allows; children keep the limit of before.
void raiseDescriptorLimit();

}  // namespace swarm::agent
