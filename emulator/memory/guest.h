// SimulatedGuest: one Machine of the memory backend. Internal to memory/.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "emulator/backend.h"
#include "emulator/state/change_signal.h"

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
  ChangeSignal changed;

  /// The file map that contains `path`, and the path's name in it.
  std::pair<FileMap*, std::string> locate(const std::string& path);
};
using GuestPtr = std::shared_ptr<SimulatedGuest>;

int signalNumber(std::string_view name);  ///< "SIGTERM", "TERM" or "15"; 0: unknown

}  // namespace swarm::emulator
