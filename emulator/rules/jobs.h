// Shared by lifecycle jobs: booting, ending a process, the consequences of an exit. Internal to lifecycle*.cc.
#pragma once

#include "emulator/rules/core.h"
#include "emulator/rules/lifecycle.h"

namespace swarm::emulator {

enum class ExitCause { Requested, Unrequested };
enum class Restarting { No, Yes };

/// exit/stopped/flyd with request.exit_event (§3 "Events").
EventNote exitNote(const Machine& machine, const GuestExit& exit, ExitCause cause, Restarting restarting);

/// From `starting` to `started` or `failed`. The caller holds the lock.
awaitable<void> bootMachine(Core& core, MachinePtr machine);
/// Ends the running process (or discards a suspended Machine's memory); returns how it ended. `before`: the state before the change.
awaitable<GuestExit> endProcess(Core& core, MachinePtr machine, StopOrder order, MachineState before);
/// Handles the unrequested end of a started Machine: the restart policy, auto_destroy.
awaitable<void> runExit(Core& core, MachinePtr machine, GuestExit exit);

/// Resumes an interrupted transition from a transient state.
void resumeJob(Core& core, const MachinePtr& machine, StopOrder order);

}  // namespace swarm::emulator
