// SimulatedGuest: one Machine of the memory backend, and its shell: as much of sh as the tests of simulated Machines use: commands one
// after the other, quotes, variables of the environment, output to files, traps. An unknown command fails (127) or, as a main process,
// counts as a program that runs until it is stopped. Internal to memory/.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "emulator/backend.h"
#include "emulator/state/background.h"

namespace swarm::emulator {

/// Paths to contents; a folder exists if it contains a file.
using FileMap = std::map<std::string, std::string>;

struct SimulatedGuest {
  MachinePlan plan;
  FileMap root;
  std::shared_ptr<FileMap> volume;  ///< visible below plan.mountPath; null: no mount
  bool running = false;
  bool suspended = false;
  std::uint64_t generation = 0;              ///< incremented at each boot and each end
  std::map<std::string, std::string> traps;  ///< of the main process: "TERM" → script; empty: ignored
  std::vector<GuestLine> log;                ///< of main processes that have ended
  async::Notifier changed;

  /// The file map that contains `path`, and the path's name in it.
  std::pair<FileMap*, std::string> locate(const std::string& path);
};
using GuestPtr = std::shared_ptr<SimulatedGuest>;

int signalNumber(std::string_view name);  ///< "SIGTERM" or "TERM"; 0: unknown

/// What responds on the agent's port: its protocol, as far as readiness, usage, commands and a page need it. Serves one connection until
/// its end.
awaitable<void> serveSimulatedAgent(net::StreamPtr stream, GuestPtr guest);

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
