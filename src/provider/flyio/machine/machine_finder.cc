// From what is remembered to the app's list to the organization's list.
#include "provider/flyio/machine/machine_finder.h"

#include <algorithm>

#include "base/text/format.h"
#include "provider/flyio/api/transport/backoff.h"
#include "provider/flyio/spec/fly_names.h"

namespace swarm::flyio {

awaitable<std::vector<Machine>> MachineFinder::listIn(std::string app, Deadline deadline) {
  Backoff backoff(client_.tuning(), client_.tuning().lookFor);
  for (;;) {
    std::vector<Machine> found = co_await client_.listMachines(app, deadline);
    std::erase_if(found, [](const Machine& machine) { return machine.isGone(); });
    if (!found.empty()) co_return found;
    // Lists may be wrongly empty (§12, pitfall 3): nothing is created or deleted because of an empty list.
    auto known = co_await client_.findApp(app, deadline);
    if (!known || known->machineCount == 0) co_return found;
    // The count may include destroyed Machines.
    std::vector<Machine> all = co_await client_.listMachines(app, deadline, Deleted::Included);
    if (!all.empty() && std::ranges::all_of(all, &Machine::isGone)) co_return found;
    if (!backoff.isPatient()) throw contradictoryLists(app, format("{} Machines", known->machineCount));
    co_await backoff.pause(deadline, "Timed out waiting for Fly's lists to agree.");
  }
}

awaitable<std::optional<Machine>> MachineFinder::findIn(std::string app, PlaceId place_id, Deadline deadline) {
  std::vector<Machine> all = co_await listIn(app, deadline);
  const Machine* best = nullptr;
  for (const Machine& machine : all) {
    if (placeOf(machine) != place_id || machine.metadata(kMetaSwarm) != swarm_.id) continue;
    // During a move to another host there are two; the newer one is created after the older one has stopped for good.
    if (!best || generationOf(machine) > generationOf(*best)) best = &machine;
  }
  if (!best) co_return std::nullopt;
  cache_.remember(*best);
  co_return *best;
}

awaitable<std::optional<Machine>> MachineFinder::find(PlaceId place_id, Deadline deadline) {
  if (const MachineCache::Entry* known = cache_.find(place_id)) {
    Machine place;
    place.app = known->app;
    place.id = known->machineId;
    Machine machine = co_await readAgain(std::move(place), deadline);
    if (!machine.isGone()) co_return machine;
    cache_.forget(place_id);
  }
  if (cache_.isAbsent(place_id)) co_return std::nullopt;
  auto machine = co_await findIn(swarm_.appOf(place_id), place_id, deadline);
  if (machine) co_return machine;
  // An instance that uses a kept volume is in that volume's app.
  OrganizationMachines all = co_await organization_.readMachines({}, deadline);
  for (const Machine& listed : all.machines) {
    if (placeOf(listed) != place_id || cache_.wasDestroyed(listed.id)) continue;
    machine = co_await client_.findMachine(listed.app, listed.id, deadline);
    if (!machine || machine->isGone()) continue;
    cache_.remember(*machine);
    co_return machine;
  }
  if (!all.complete) throw Error(ErrorCode::Unavailable, "Fly could not list the Machines of all regions.").withInstance(place_id.str());
  cache_.noteAbsent(place_id);
  co_return std::nullopt;
}

awaitable<Machine> MachineFinder::require(PlaceId place_id, Deadline deadline) {
  auto machine = co_await find(place_id, deadline);
  if (!machine) throw Error(ErrorCode::NotFound, format("Fly has no Machine of the workspace {}.", place_id)).withInstance(place_id.str());
  co_return std::move(*machine);
}

awaitable<Machine> MachineFinder::readAgain(Machine machine, Deadline deadline) {
  // A new Machine may not be known everywhere yet (§12, pitfall 4).
  Age age = cache_.wasJustCreated(machine.id, client_.tuning().lookFor) ? Age::New : Age::Known;
  auto now = co_await client_.findMachine(machine.app, machine.id, deadline, age);
  if (!now && !cache_.wasDestroyed(machine.id)) {
    // It counts as absent only when the app's list lacks it, too.
    std::vector<Machine> all = co_await client_.listMachines(machine.app, deadline);
    auto listed = std::ranges::find(all, machine.id, &Machine::id);
    if (listed != all.end()) now = std::move(*listed);
  }
  cache_.noteRead(machine.id);
  if (!now || now->isGone()) {
    machine.state = MachineState::destroyed;
    co_return machine;
  }
  cache_.remember(*now);
  co_return std::move(*now);
}

awaitable<void> MachineFinder::addRecorded(std::vector<Machine>& machines, std::string app, const std::vector<ExternalResource>& recorded,
                                           Deadline deadline) {
  for (const ExternalResource& resource : recorded) {
    bool is_listed = std::ranges::find(machines, resource.id, &Machine::id) != machines.end();
    if (resource.kind != ResourceKind::machine || is_listed) continue;
    auto machine = co_await client_.findMachine(app, resource.id, deadline);
    if (machine && !machine->isGone()) machines.push_back(std::move(*machine));
  }
}

awaitable<void> recordFound(const Machine& machine, Progress& progress) {
  co_await progress.recorded({ResourceKind::machine, machine.id});
  if (std::string volume = machine.volumeId(); !volume.empty()) co_await progress.recorded({ResourceKind::volume, volume});
}

}  // namespace swarm::flyio
