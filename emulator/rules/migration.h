// Host migration (§11), requested by a test: the same Machine on another host, with another volume id and address.
#pragma once

#include "emulator/rules/core.h"

namespace swarm::emulator {

/// Throws Refusal when the Machine is in a transition. The work is done in the background; the Machine returns to its previous state.
void beginMigration(Core& core, const MachinePtr& machine);

}  // namespace swarm::emulator
