// MemoryBackend: simulated Machines, thousands at once: a tiny shell, a file system per Machine and per volume, ports that respond.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "async/loop.h"
#include "emulator/backend.h"

namespace swarm::emulator {

/// A program that serves one connection to a port of a Machine, until either side ends it. `plan` is the Machine's current one.
using MemoryService = std::function<awaitable<void>(net::StreamPtr stream, MachinePlan plan)>;

struct MemoryOptions {
  /// The server in every Machine. The default serves HTTP on 7777 as a simulated agent: /health reports ready, every other path returns a
  /// page.
  std::map<std::uint16_t, MemoryService> services;
  std::set<std::string> missingImages;  ///< references that do not exist; every other image exists
};

/// The main process is config's exec, entrypoint or command, run by the tiny shell (shell.h): `exit N`, or the end of the commands, is an
/// exit; an empty or unknown command runs until it is stopped. Its output is in
/// the log once it has ended.
BackendPtr makeMemoryBackend(async::Executor executor, const Clock& clock, MemoryOptions options = {});

}  // namespace swarm::emulator
