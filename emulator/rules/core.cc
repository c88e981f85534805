// State changes and their consequences.
#include "emulator/rules/core.h"

#include <algorithm>

#include "async/deadline.h"
#include "base/diagnostics/check.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

constexpr std::size_t kMaxEvents = 50;
constexpr std::chrono::milliseconds kServicesDelay{5};
constexpr std::chrono::hours kDestroyedKept{1};
constexpr std::chrono::hours kSoftDelete{24};  // §7

SystemTime expiryOf(const VolumeSnapshot& snapshot) { return snapshot.createdAt + std::chrono::days(snapshot.retentionDays); }

/// Snapshots of a deleted volume can be restored until they expire (§7).
SystemTime keptUntil(const Volume& volume) {
  SystemTime until = volume.deletedAt + kSoftDelete;
  for (const VolumeSnapshot& snapshot : volume.snapshots) until = std::max(until, expiryOf(snapshot));
  return until;
}

}  // namespace

Core::Core(async::Executor loop, const Clock& the_clock, EmulatorOptions emulator_options, BackendPtr machine_backend)
    : executor(loop),
      clock(the_clock),
      options(std::move(emulator_options)),
      backend(std::move(machine_backend)),
      capacity(world, options.regions, options.capacity),
      limiter(the_clock),
      journal(options.dataDir),
      background(loop) {}

void Core::touch(const MachinePtr& machine) {
  machine->updatedAt = now();
  journal.changed(machine);
}

void Core::touch(const VolumePtr& volume) {
  volume->updatedAt = now();
  journal.changed(volume);
}

void Core::note(const MachinePtr& machine, EventNote note) {
  machine->events.push_back({newUlid(now()), std::string(note.type), std::string(note.status), std::string(note.source),
                             unixMilliseconds(now()), std::move(note.request)});
  if (machine->events.size() > kMaxEvents) machine->events.pop_front();
  touch(machine);
}

void Core::changeState(const MachinePtr& machine, MachineState state, EventNote event) {
  SWARM_CHECK(canFollow(machine->state, state));
  machine->state = state;
  note(machine, std::move(event));
  capacity.account(*machine);
  if (state == MachineState::destroyed) {
    machine->destroyedAt = now();
    machine->lease.reset();
    destroyed_.push_back(machine);
    if (AppPtr app = machine->app.lock()) app->machinesByName.erase(machine->name);
    transitionFaults.erase(machine->id);
    stuckMachines.erase(machine->id);
  }
  wakeWaiters(*machine);
  machine->changed.notifyAll();
  if (state == MachineState::started || state == MachineState::destroyed || state == MachineState::replacing) servicesChanged();
}

std::optional<json::object> waitResponse(const Machine& machine, const StateWaiter& waiter) {
  if (!waiter.version.empty() && waiter.version != machine.version) return std::nullopt;
  // I: that a Machine which is about to launch has not settled.
  bool wanted = waiter.states.empty() ? !isTransient(machine.state) && !machine.launchPending
                                      : std::ranges::find(waiter.states, machine.state) != waiter.states.end();
  if (!wanted) return std::nullopt;
  std::string event = machine.events.empty() ? "" : machine.events.back().id;
  // Ids sort by time: an event that is not newer than the given one does not satisfy the caller.
  if (!waiter.afterEvent.empty() && event <= waiter.afterEvent) return std::nullopt;
  return json::object{{"ok", true}, {"event_id", event}, {"state", toString(machine.state)}, {"version", machine.version}};
}

void Core::wakeWaiters(Machine& machine) {
  std::erase_if(machine.waiters, [&](const std::shared_ptr<StateWaiter>& waiter) {
    waiter->response = waitResponse(machine, *waiter);
    if (waiter->response) waiter->done.notifyAll();
    return waiter->response.has_value();
  });
}

awaitable<void> Core::pause(MachinePtr machine, std::chrono::milliseconds duration) {
  if (duration.count() <= 0) co_return;
  Deadline deadline = Deadline::after(duration);
  MachineState state = machine->state;
  while (machine->state == state && !deadline.hasPassed()) {
    if (!co_await waitFor(machine->changed, deadline)) co_return;
  }
}

std::chrono::milliseconds Core::timeOf(const Machine& machine, std::string_view transition) {
  if (auto own = transitionFaults.find(machine.id); own != transitionFaults.end()) {
    if (auto time = own->second.find(std::string(transition)); time != own->second.end()) return time->second;
  }
  return *options.times.named(transition == "settle" ? "stop_settle" : transition);
}

void Core::applyFault(const FaultEffect& fault, const std::string& machine_id) {
  if (!fault.transitions.empty()) transitionFaults[machine_id] = fault.transitions;
  if (fault.settle) transitionFaults[machine_id]["settle"] = *fault.settle;
  if (fault.stuck) stuckMachines.insert(machine_id);
}

std::string Core::boundTo(const Volume& volume) const {
  if (volume.attachedMachine.empty() || now() >= volume.boundUntil) return "";
  return volume.attachedMachine;
}

void Core::servicesChanged() {
  if (!servicesListener || services_change_pending_) return;
  services_change_pending_ = true;
  spawn(reportServices());
}

/// Many Machines change in a short time; the listener processes all of them at once.
awaitable<void> Core::reportServices() {
  co_await async::sleepFor(kServicesDelay);
  services_change_pending_ = false;
  if (servicesListener) servicesListener();
}

void Core::forgetOld() {
  while (!destroyed_.empty() && destroyed_.front()->destroyedAt + kDestroyedKept < now()) {
    world.forget(destroyed_.front());
    journal.forgotten(destroyed_.front());
    destroyed_.pop_front();
  }
  while (!soft_deleted_.empty() && keptUntil(*soft_deleted_.front()) < now()) {
    VolumePtr volume = soft_deleted_.front();
    soft_deleted_.pop_front();
    for (const VolumeSnapshot& snapshot : volume->snapshots)
      spawn(backend->destroyVolume(snapshot.id, Deadline::after(std::chrono::minutes(2))));
    world.forget(volume);
    journal.forgotten(volume);
  }
}

void Core::softDelete(const VolumePtr& volume) {
  if (volume->host) --volume->host->volumes;
  volume->attachedMachine.clear();
  volume->state = "pending_destroy";
  volume->deletedAt = now();
  soft_deleted_.push_back(volume);
  touch(volume);
}

void Core::dropExpiredSnapshots(const VolumePtr& volume) {
  for (const VolumeSnapshot& snapshot : volume->snapshots) {
    if (expiryOf(snapshot) < now()) spawn(backend->destroyVolume(snapshot.id, Deadline::after(std::chrono::minutes(2))));
  }
  if (std::erase_if(volume->snapshots, [this](const VolumeSnapshot& snapshot) { return expiryOf(snapshot) < now(); }) > 0)
    journal.changed(volume);
}

}  // namespace swarm::emulator
