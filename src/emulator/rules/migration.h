// Host migration (§11), asked for by a test: the same Machine on another host, with another volume id and address.
#pragma once

#include "emulator/rules/core.h"

namespace swarm::emulator {

/// Throws Refusal when the Machine is on its way somewhere. The work is done in the background; the Machine ends in the state that it had.
void beginMigration(Core& core, const MachinePtr& machine);

}  // namespace swarm::emulator
