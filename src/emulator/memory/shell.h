// Shell: enough of sh to test with: lists, pipes, redirections, variables, traps, and a handful of commands. What it does not know it says
// (127), or, as a main process, takes for a program that runs until it is stopped.
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

/// What a run may do to the Machine, and how long it may take.
struct ShellHost {
  GuestPtr guest;
  bool isMain = false;                                ///< the main process: traps count, unknown programs run on
  Deadline deadline = Deadline::never();              ///< Error(DeadlineExceeded) past it
  std::function<void(std::string signal)> kill = {};  ///< `kill … 1`
};

/// Runs one command to its end. Throws Error(DeadlineExceeded), Error(Cancelled) when the Machine ended first.
awaitable<ShellResult> runCommand(ShellHost host, std::vector<std::string> command, std::string input);

}  // namespace swarm::emulator
