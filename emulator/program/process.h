// The whole process: backend, emulator, API and edge on one loop.
#pragma once

#include "emulator/program/options.h"

namespace swarm::emulator {

/// Serves until SIGTERM or SIGINT; then returns 0. Throws Error when it cannot start.
int runProcess(ProgramOptions options);

}  // namespace swarm::emulator
