// One job at a time holds a Machine; a job re-checks the state after each wait, since a forced destroy may come at any moment.
#include "emulator/rules/lifecycle.h"

#include "async/attempt.h"
#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "emulator/rules/config/config_view.h"

namespace swarm::emulator {

using State = MachineState;

namespace {

enum class Resume { No, Yes };

/// Long enough for an image that must be pulled first.
Deadline bootDeadline() { return Deadline::after(std::chrono::minutes(10)); }

awaitable<void> runLaunch(Core& core, MachinePtr machine) {
  MachineLock lock(machine);
  co_await lock.take();
  co_await core.pause(machine, core.timeOf(*machine, "launch"));
  if (machine->state != State::created || core.stuckMachines.contains(machine->id)) co_return;
  machine->launchPending = false;
  core.changeState(machine, State::starting, {"start", "starting", "user"});  // I: this event (§3)
  co_await bootMachine(core, machine);
}

awaitable<void> runStart(Core& core, MachinePtr machine, Resume resume) {
  MachineLock lock(machine);
  co_await lock.take();
  if (resume == Resume::Yes && machine->state == State::starting) {
    co_await core.pause(machine, core.timeOf(*machine, "start"));
    try {
      co_await core.backend->resume(machine->id, bootDeadline());
      if (machine->state == State::starting) core.changeState(machine, State::started, {"start", "started", "flyd"});
      co_await core.journal.flush();
      co_return;
    } catch (const Error& error) {
      // §10: a resume that fails falls back to a cold boot.
      log::info("emulator: a resume failed; fell back to a cold boot", {{"machine", machine->id}, {"error", error.message()}});
    }
  }
  co_await bootMachine(core, machine);
}

awaitable<void> runStop(Core& core, MachinePtr machine, StopOrder order, State before) {
  MachineLock lock(machine);
  co_await lock.take();
  co_await core.pause(machine, core.timeOf(*machine, "stop"));
  if (machine->state != State::stopping) co_return;
  GuestExit exit = co_await endProcess(core, machine, order, before);
  if (machine->state != State::stopping) co_return;
  machine->startableAt = core.now() + core.timeOf(*machine, "settle");
  core.changeState(machine, State::stopped, exitNote(*machine, exit, ExitCause::Requested, Restarting::No));
  co_await core.journal.flush();
  if (flagOf(machine->config, "auto_destroy") && before == State::started) beginDestroy(core, machine);
}

awaitable<void> runSuspend(Core& core, MachinePtr machine) {
  MachineLock lock(machine);
  co_await lock.take();
  co_await core.pause(machine, core.timeOf(*machine, "suspend"));
  if (machine->state != State::suspending) co_return;
  try {
    co_await core.backend->suspend(machine->id, bootDeadline());
    if (machine->state == State::suspending) core.changeState(machine, State::suspended, {"suspend", "suspended", "flyd"});
  } catch (const Error& error) {
    log::warning("emulator: a suspend failed", {{"machine", machine->id}, {"error", error.message()}});
    if (machine->state == State::suspending) core.changeState(machine, State::started, {"start", "started", "flyd"});
  }
  co_await core.journal.flush();
}

awaitable<void> runRestart(Core& core, MachinePtr machine, StopOrder order) {
  MachineLock lock(machine);
  co_await lock.take();
  co_await core.pause(machine, core.timeOf(*machine, "stop"));
  if (machine->state != State::restarting) co_return;
  GuestExit exit = co_await endProcess(core, machine, order, State::started);
  if (machine->state != State::restarting) co_return;
  core.note(machine, exitNote(*machine, exit, ExitCause::Requested, Restarting::Yes));
  core.changeState(machine, State::starting, {"restart", "starting", "flyd"});
  co_await bootMachine(core, machine);
}

awaitable<void> runReplace(Core& core, MachinePtr machine, StopOrder order, State before) {
  MachineLock lock(machine);
  co_await lock.take();
  co_await core.pause(machine, core.timeOf(*machine, "update"));
  if (machine->state != State::replacing) co_return;
  co_await endProcess(core, machine, order, before);
  if (machine->state != State::replacing) co_return;
  State after = machine->stateAfterUpdate;
  if (after != State::started) {
    core.changeState(machine, after, {"update", toString(after), "flyd"});
    co_await core.journal.flush();
    co_return;
  }
  core.changeState(machine, State::starting, {"start", "starting", "user"});
  co_await bootMachine(core, machine);
}

void releaseVolume(Core& core, const Machine& machine) {
  auto found = core.world.volumes.find(machine.volumeId);
  if (machine.volumeId.empty() || found == core.world.volumes.end() || found->second->attachedMachine != machine.id) return;
  found->second->boundUntil = core.now() + core.options.times.volumeUnbind;
  core.touch(found->second);
}

awaitable<bool> destroyOnce(Core& core, const Machine& machine) {
  auto destroyed = co_await async::attempt(core.backend->destroy(machine.id, Deadline::after(std::chrono::minutes(2))));
  if (!destroyed) {
    log::warning("emulator: a destroy failed and will be retried", {{"machine", machine.id}, {"error", destroyed.error().message()}});
  }
  co_return destroyed.has_value();
}

awaitable<void> runDestroy(Core& core, MachinePtr machine) {
  while (!isReachable(*machine)) co_await waitFor(machine->changed, Deadline::never());
  // A job that waits for a slow end of the process sees it at once.
  if (machine->busy) {
    try {
      co_await core.backend->signal(machine->id, "SIGKILL", Deadline::after(std::chrono::seconds(10)));
    } catch (const Error&) {
      // No process runs: continue with the destroy below.
    }
  }
  MachineLock lock(machine);
  co_await lock.take();
  std::chrono::milliseconds delay = core.timeOf(*machine, "destroy");
  if (delay.count() > 0) co_await async::sleepFor(delay);
  // Retried without a limit: a Machine that is reported as destroyed must not continue to run.
  while (!co_await destroyOnce(core, *machine)) co_await async::sleepFor(core.options.times.backendRetry);
  releaseVolume(core, *machine);
  core.changeState(machine, State::destroyed, {"destroy", "destroyed", "flyd"});
  co_await core.journal.flush();
}

awaitable<void> runAppDelete(Core& core, AppPtr app) {
  std::vector<MachinePtr> machines;
  for (const auto& [number, machine] : app->machines) machines.push_back(machine);
  for (const MachinePtr& machine : machines) {
    while (machine->state != State::destroyed) co_await waitFor(machine->changed, Deadline::never());
  }
  std::vector<VolumePtr> volumes;
  for (const auto& [number, volume] : app->volumes) volumes.push_back(volume);
  for (const VolumePtr& volume : volumes) {
    co_await destroyVolumeContent(core, volume);
    for (const VolumeSnapshot& snapshot : volume->snapshots)
      co_await core.backend->destroyVolume(snapshot.id, Deadline::after(std::chrono::minutes(2)));
    core.world.forget(volume);
    core.journal.forgotten(volume);
  }
  for (const MachinePtr& machine : machines) {
    core.world.forget(machine);
    core.journal.forgotten(machine);
  }
  core.world.forget(app);
  core.journal.forgotten(app);
  core.servicesChanged();
  co_await core.journal.flush();
}

}  // namespace

StopOrder stopOrderOf(const json::object& config) {
  StopOrder order;
  const json::object* stop = objectOf(config, "stop_config");
  if (!stop) return order;
  if (std::string signal = textOf(*stop, "signal"); !signal.empty()) order.signal = signal;
  if (auto timeout = durationOf(*stop, "timeout"); timeout && timeout->count() > 0) order.timeout = *timeout;
  return order;
}

void beginLaunch(Core& core, const MachinePtr& machine) { core.spawn(runLaunch(core, machine)); }

void beginStart(Core& core, const MachinePtr& machine) {
  Resume resume = machine->state == State::suspended ? Resume::Yes : Resume::No;
  machine->recentRestarts.clear();
  machine->restartCount = 0;
  core.changeState(machine, State::starting, {"start", "starting", "user"});  // I: this event (§3)
  core.spawn(runStart(core, machine, resume));
}

void beginStop(Core& core, const MachinePtr& machine, StopOrder order) {
  State before = machine->state;
  machine->launchPending = false;
  core.changeState(machine, State::stopping, {"stop", "stopping", "user"});  // I: this event (§3)
  core.spawn(runStop(core, machine, std::move(order), before));
}

void beginSuspend(Core& core, const MachinePtr& machine) {
  core.changeState(machine, State::suspending, {"suspend", "suspending", "user"});  // I: this event (§3)
  core.spawn(runSuspend(core, machine));
}

void beginRestart(Core& core, const MachinePtr& machine, StopOrder order) {
  core.changeState(machine, State::restarting, {"restart", "restarting", "user"});  // I: this event
  core.spawn(runRestart(core, machine, std::move(order)));
}

void beginReplace(Core& core, const MachinePtr& machine, StopOrder order, State after) {
  State before = machine->state;
  machine->launchPending = false;
  machine->stateAfterUpdate = after;
  core.changeState(machine, State::replacing, {"update", "replacing", "user"});
  core.spawn(runReplace(core, machine, std::move(order), before));
}

void beginDestroy(Core& core, const MachinePtr& machine) {
  if (machine->state == State::destroying || machine->state == State::destroyed) return;
  machine->launchPending = false;
  core.changeState(machine, State::destroying, {"destroy", "destroying", "user"});  // I: this event (§3)
  core.spawn(runDestroy(core, machine));
}

void beginAppDelete(Core& core, const AppPtr& app) {
  app->deleted = true;
  core.journal.changed(app);
  for (const auto& [number, machine] : app->machines) beginDestroy(core, machine);
  core.spawn(runAppDelete(core, app));
}

void resumeJob(Core& core, const MachinePtr& machine, StopOrder order) {
  switch (machine->state) {
    case State::starting:
      return core.spawn(runStart(core, machine, Resume::No));
    case State::stopping:
      return core.spawn(runStop(core, machine, std::move(order), State::stopping));
    case State::suspending:
      return core.spawn(runSuspend(core, machine));
    case State::restarting:
      return core.spawn(runRestart(core, machine, std::move(order)));
    case State::replacing:
      return core.spawn(runReplace(core, machine, std::move(order), State::stopping));
    case State::destroying:
      return core.spawn(runDestroy(core, machine));
    default:
      break;
  }
}

awaitable<void> destroyVolumeContent(Core& core, VolumePtr volume) {
  co_await core.backend->destroyVolume(volume->id, Deadline::after(std::chrono::minutes(2)));
}

}  // namespace swarm::emulator
