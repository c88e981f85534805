// After a restart: the journal has the intended state, the backend the actual one.
#include <set>

#include "base/diagnostics/log.h"
#include "emulator/rules/lifecycle.h"

namespace swarm::emulator {

using State = MachineState;

namespace {

Deadline soon() { return Deadline::after(std::chrono::minutes(1)); }

/// A started Machine whose process no longer exists.
void missed(Core& core, const MachinePtr& machine, bool known) {
  if (known) {
    // The backend has already reported it.
    if (machine->lastExit) return;
    // It ended unobserved; the cause is unknown, and the restart policy exists for failures.
    onGuestExit(core, {.machineId = machine->id, .exitCode = 1, .at = core.now()});
    return;
  }
  // Nothing remains of it, as after a restart of its host: Fly boots it again.
  core.changeState(machine, State::starting, {"start", "starting", "flyd"});
  resumeJob(core, machine, {});
}

awaitable<void> recoverVolumes(Core& core) {
  std::vector<std::string> there = co_await core.backend->volumeIds(soon());
  std::set<std::string> known(there.begin(), there.end());
  std::vector<VolumePtr> volumes;
  for (const auto& [id, volume] : core.world.volumes) volumes.push_back(volume);
  for (const VolumePtr& volume : volumes) {
    if (volume->isGoing()) {
      core.softDeletedBefore(volume);
      continue;
    }
    if (!known.contains(volume->id)) co_await core.backend->createVolume(volume->id, volume->sizeGb, soon());
    if (volume->state != "created") {
      volume->state = "created";
      core.touch(volume);
    }
  }
}

}  // namespace

awaitable<void> recover(Core& core) {
  co_await recoverVolumes(core);
  std::vector<std::string> there = co_await core.backend->machineIds(soon());
  std::set<std::string> known(there.begin(), there.end());
  std::vector<MachinePtr> machines;
  for (const auto& [id, machine] : core.world.machines) machines.push_back(machine);
  for (const MachinePtr& machine : machines) {
    core.capacity.account(*machine);
    if (machine->state == State::destroyed) {
      core.destroyedBefore(machine);
    } else if (machine->state == State::started) {
      bool exists = known.contains(machine->id);
      bool runs = exists && co_await core.backend->isRunning(machine->id, soon());
      if (!runs) missed(core, machine, exists);
    } else {
      if (machine->state == State::created && machine->launchPending) beginLaunch(core, machine);
      resumeJob(core, machine, stopOrderOf(machine->config));
    }
  }
  std::vector<AppPtr> deleted;
  for (const auto& [name, app] : core.world.apps) {
    if (app->deleted) deleted.push_back(app);
  }
  for (const AppPtr& app : deleted) beginAppDelete(core, app);
  co_await core.journal.flush();
  if (!machines.empty()) log::info("emulator: state loaded", {{"machines", machines.size()}, {"apps", core.world.apps.size()}});
}

}  // namespace swarm::emulator
