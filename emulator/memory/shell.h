// Shell: as much of sh as the tests of simulated Machines use: commands one after the other, quotes, variables of the environment, output
// to files, traps. An unknown command fails (127) or, as a main process, counts as a program that runs until it is stopped.
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

/// What a command runs in, and its time limit.
struct ShellHost {
  GuestPtr guest;
  bool isMain = false;                    ///< the main process: traps apply, unknown programs run until stopped
  Deadline deadline = Deadline::never();  ///< Error(DeadlineExceeded) past it
};

/// Runs one command to its end. Throws Error(DeadlineExceeded), Error(Cancelled) when the Machine ended first.
awaitable<ShellResult> runCommand(ShellHost host, std::vector<std::string> command, std::string input);

}  // namespace swarm::emulator
