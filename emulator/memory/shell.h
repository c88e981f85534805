// Shell: enough of sh for tests: lists, pipes, redirections, variables, traps, and a handful of commands. An unknown command fails (127)
// or, as a main process, counts as a program that runs until it is stopped.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "emulator/memory/guest.h"

namespace swarm::emulator {

struct ShellResult {
  int exitCode = 0;
  std::string out, err;
};

/// What a run may do to the Machine, and its time limit.
struct ShellHost {
  GuestPtr guest;
  bool isMain = false;                                ///< the main process: traps apply, unknown programs run until stopped
  Deadline deadline = Deadline::never();              ///< Error(DeadlineExceeded) past it
  std::function<void(std::string signal)> kill = {};  ///< `kill … 1`
};

/// Runs one command to its end. Throws Error(DeadlineExceeded), Error(Cancelled) when the Machine ended first.
awaitable<ShellResult> runCommand(ShellHost host, std::vector<std::string> command, std::string input);

}  // namespace swarm::emulator
