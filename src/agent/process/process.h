// Starts one process: own session, given user, given descriptors. Only async-signal-safe calls are made between fork and exec.
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

#include "agent/workspace/users.h"

namespace swarm::agent {

struct SpawnRequest {
  std::vector<std::string> argv;  ///< a first word without "/" is searched in the PATH of `env`
  std::vector<std::string> env;   ///< "K=V"
  std::string cwd = "/";
  bool cwdMayFail = false;  ///< use "/" if cwd cannot be entered
  UserRecord user;
  int stdinFd = -1;  ///< -1: /dev/null; each may be any descriptor above 2
  int stdoutFd = -1;
  int stderrFd = -1;
  bool terminal = false;  ///< stdinFd is a terminal, and becomes the controlling one
};

/// Why the process was not started: `exitCode` is what a shell would return, 127 not found, 126 found but not startable.
struct SpawnFailure {
  int exitCode = 126;
  std::string message;  ///< one sentence
};

/// The new process's id, which is also the id of its session and group; exec has succeeded when it returns. Blocks during fork and exec.
/// The caller must have it reaped. Its signals have default dispositions, and its limits are those with which the agent started.
std::expected<pid_t, SpawnFailure> spawnProcess(const SpawnRequest& request);

/// Raises the agent's own descriptor limit to the hard limit; children keep the original limit.
void raiseDescriptorLimit();

}  // namespace swarm::agent
