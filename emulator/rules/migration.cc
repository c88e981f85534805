// Stop, copy, start on the other host.
#include "emulator/rules/lifecycle.h"

#include "emulator/api/response.h"
#include "emulator/rules/config/config_view.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {

using State = MachineState;

namespace {

Deadline copyDeadline() { return Deadline::after(std::chrono::minutes(10)); }

Host* otherHost(Core& core, const Machine& machine) {
  Host* best = nullptr;
  for (auto& [id, host] : core.world.hosts) {
    if (host.region != machine.region || &host == machine.host || !core.capacity.fits(host, machine.guest)) continue;
    if (!best || host.machines < best->machines) best = &host;
  }
  return best;
}

/// The fork for the Machine; the old volume is kept as described in §7, without its content.
awaitable<void> moveVolume(Core& core, MachinePtr machine, Host* host) {
  auto found = core.world.volumes.find(machine->volumeId);
  if (found == core.world.volumes.end()) co_return;
  VolumePtr old = found->second;
  auto fork = std::make_shared<Volume>(*old);
  fork->id = newVolumeId();
  fork->number = core.world.nextNumber();
  fork->host = host;
  fork->createdAt = core.now();
  fork->snapshots.clear();
  core.world.add(machine->app.lock(), fork);
  core.touch(fork);
  co_await core.journal.flush();
  co_await core.backend->copyVolume(old->id, fork->id, copyDeadline());
  core.softDelete(old);
  machine->volumeId = fork->id;
  json::value& mounts = machine->config["mounts"];
  mounts.as_array()[0].as_object()["volume"] = fork->id;
  if (!machine->versions.empty()) machine->versions.back().config = machine->config;
  co_await core.journal.flush();
  co_await destroyVolumeContent(core, old);
}

awaitable<void> runMigration(Core& core, MachinePtr machine, Host* host, State before) {
  MachineLock lock(machine);
  co_await lock.take();
  if (machine->state != State::replacing) co_return;
  co_await endProcess(core, machine, stopOrderOf(machine->config), before);
  if (machine->state != State::replacing) co_return;
  if (!machine->volumeId.empty()) co_await moveVolume(core, machine, host);
  bool counted = machine->reserved;
  State state = machine->state;
  // Move the usage from the old host to the new one.
  machine->state = State::stopped;
  core.capacity.account(*machine);
  machine->host = host;
  machine->state = state;
  if (counted) core.capacity.account(*machine);
  machine->privateIp = privateAddress(machine->app.lock()->organization, machine->app.lock()->network, machine->id + newNonce());
  core.note(machine, {"launch", "created", "flyd", {{"migrated", true}}});
  if (machine->state != State::replacing) co_return;
  if (before == State::started) {
    core.changeState(machine, State::starting, {"start", "starting", "flyd"});
    co_await bootMachine(core, machine);
  } else {
    core.changeState(machine, State::stopped, {"update", "stopped", "flyd"});
  }
  co_await core.journal.flush();
}

}  // namespace

void beginMigration(Core& core, const MachinePtr& machine) {
  State before = machine->state;
  if (before != State::started && before != State::stopped) refuse(409, "only a started or stopped machine can be migrated");
  Host* host = otherHost(core, *machine);
  if (!host) refuse(409, "the region has no other host with room");
  machine->stateAfterUpdate = before;
  core.changeState(machine, State::replacing, {"update", "replacing", "flyd"});
  core.spawn(runMigration(core, machine, host, before));
}

}  // namespace swarm::emulator
