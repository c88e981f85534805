// Shared by lifecycle jobs: the lock on a Machine, booting, ending a process, the consequences of an exit. Internal to lifecycle*.cc.
#pragma once

#include "emulator/rules/core.h"
#include "emulator/rules/lifecycle.h"

namespace swarm::emulator {

/// Locks a Machine for one job; the others wait for the change notification at its end.
class [[nodiscard]] JobLock {
 public:
  explicit JobLock(MachinePtr machine) : machine_(std::move(machine)) {}
  ~JobLock() {
    if (!held_) return;
    machine_->busy = false;
    machine_->changed.notifyAll();
  }
  JobLock(const JobLock&) = delete;
  JobLock& operator=(const JobLock&) = delete;
  awaitable<void> take() {
    while (machine_->busy) co_await waitFor(machine_->changed, Deadline::never());
    machine_->busy = held_ = true;
  }

 private:
  MachinePtr machine_;
  bool held_ = false;
};

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
