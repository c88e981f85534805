// Lifecycle: performs accepted requests on Machines: each change runs in the background, through the states of §4.
#pragma once

#include <chrono>
#include <string>

#include "emulator/rules/core.h"

namespace swarm::emulator {

/// How to end the main process.
struct StopOrder {
  std::string signal = "SIGINT";
  std::chrono::milliseconds timeout{5000};
};
/// config.stop_config, or Fly's defaults (§3).
StopOrder stopOrderOf(const json::object& config);

// The caller has checked that the state allows it. Each changes the state at once and performs the work in the background.
void beginLaunch(Core& core, const MachinePtr& machine);  ///< created, and starts automatically
void beginStart(Core& core, const MachinePtr& machine);
void beginStop(Core& core, const MachinePtr& machine, StopOrder order);
void beginSuspend(Core& core, const MachinePtr& machine);
void beginRestart(Core& core, const MachinePtr& machine, StopOrder order);
/// The configuration and version have already been replaced. `after`: started, stopped or created.
void beginReplace(Core& core, const MachinePtr& machine, StopOrder order, MachineState after);
void beginDestroy(Core& core, const MachinePtr& machine);
/// Deletes the app's Machines and volumes, then frees its name.
void beginAppDelete(Core& core, const AppPtr& app);

/// Host migration (§11), requested by a test: the same Machine on another host, with another volume id and address. Throws Refusal when the
/// Machine is in a transition. The Machine returns to its previous state.
void beginMigration(Core& core, const MachinePtr& machine);

/// The backend reports the end of a main process.
void onGuestExit(Core& core, const GuestExit& exit);
/// After a restart of the emulator: resumes interrupted transitions, and starts Machines that should be running.
awaitable<void> recover(Core& core);

/// Deletes the volume's content at once, its entry after 24 h (§7). I: Fly keeps the content for those 24 h.
awaitable<void> destroyVolumeContent(Core& core, VolumePtr volume);

// Shared by jobs; internal to rules/.

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
