// MemoryBackend: simulated Machines, thousands at once: a tiny shell, a file system per Machine and per volume, ports that respond.
#pragma once

#include <set>
#include <string>

#include "async/loop.h"
#include "emulator/backend.h"

namespace swarm::emulator {

struct MemoryOptions {
  std::set<std::string> missingImages;  ///< references that do not exist; every other image exists
};

/// The main process is config's exec, entrypoint or command, run by the tiny shell (shell.cc): `exit N`, or the end of the commands, is an
/// exit; an empty or unknown command runs until it is stopped. Its output is in the log once it has ended. Each Machine serves HTTP on the
/// agent's port as a simulated agent: /health reports ready, every other path returns a page.
BackendPtr makeMemoryBackend(async::Executor executor, const Clock& clock, MemoryOptions options = {});

}  // namespace swarm::emulator
