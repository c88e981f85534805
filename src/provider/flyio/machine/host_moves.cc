#include "provider/flyio/machine/host_moves.h"

#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/flyio/spec/machine_patch.h"
#include "provider/flyio/spec/machine_state.h"

namespace swarm::flyio {

awaitable<Machine> HostMoves::start(Machine machine, Progress& progress, Deadline deadline) {
  MachineLifecycle::Started started = co_await lifecycle_.start(std::move(machine), deadline);
  if (!started.lacksCapacity) co_return std::move(started.machine);
  log::warning("the host of a Machine had no capacity to start it; it is moved to another host",
               {{"instance", started.machine.metadata(kMetaInstance)}, {"machine", started.machine.id}});
  json::object config = started.machine.config;
  co_return co_await move(std::move(started.machine), std::move(config), progress, deadline);
}

awaitable<void> HostMoves::cleanUp(Machine current, Deadline deadline) {
  if (!clean_.contains(placeOf(current))) co_await removeLeftovers(std::move(current), deadline);
}

awaitable<void> HostMoves::removeLeftovers(Machine current, Deadline deadline) {
  if (isReader(current)) co_return;  // deleteInstance removes all that a reader leaves
  const PlaceId place_id = placeOf(current);
  std::vector<Machine> machines = co_await machines_.listIn(current.app, deadline);
  for (const Machine& machine : machines) {
    bool is_older = placeOf(machine) == place_id && machine.id != current.id && generationOf(machine) < generationOf(current);
    if (is_older) co_await lifecycle_.destroy(machine, deadline);
  }
  const std::string mounted = current.volumeId();
  bool is_clean = mounted.empty() || co_await removeOldVolumes(current, mounted, deadline);
  if (is_clean) noteClean(place_id);
}

/// False: the copy is not complete yet, and its source is still needed.
awaitable<bool> HostMoves::removeOldVolumes(const Machine& current, std::string mounted, Deadline deadline) {
  AppVolumes present = co_await volumes_.sortedIn(current.app, mounted, {}, deadline);
  StorageRecord& record = present.record;
  bool is_outdated = !record.copyName.empty() || (!record.volumeId.empty() && record.volumeId != mounted);
  record.volumeId = mounted;
  for (const Volume& volume : present.all) {
    if (isAbandonedCopy(volume, record)) co_await volumes_.remove(current.app, volume.id, deadline);
  }
  record.copyName.clear();
  if (is_outdated) co_await records_.write(current.app, record, deadline);
  std::vector<std::string> replaced = replacedBy(current);
  std::erase_if(replaced, [&](const std::string& id) {
    return id == mounted || std::ranges::find(present.all, id, &Volume::id) == present.all.end();
  });
  if (replaced.empty()) co_return true;
  if (!co_await volumes_.waitUntilWhole(current.app, mounted, deadline)) co_return false;
  for (const std::string& id : replaced) co_await volumes_.remove(current.app, id, deadline);
  co_return true;
}

awaitable<Machine> HostMoves::move(Machine machine, json::object config, Progress& progress, Deadline deadline) {
  const PlaceId place_id = placeOf(machine);
  if (isReader(machine)) {  // a fork of its volume would pass for the instance's
    throw Error(ErrorCode::OutOfResources, "The host of the snapshot's copy has no capacity for its Machine. Try again.")
        .withRetryable(true);
  }
  progress.step(Step::MoveToAnotherHost);
  forget(place_id);
  MachineOrder order;
  order.app = machine.app;
  order.placeId = place_id;
  order.machineGeneration = generationOf(machine) + 1;
  order.config = patchedConfig(config, {});
  if (const json::value* guest = config.if_contains("guest")) order.guest = readGuest(*guest);
  order.regions = {machine.region};
  for (const std::string& region : regionsAllowed(machine, swarm_.config)) {
    if (region != machine.region) order.regions.push_back(region);
  }
  AppVolumes present;
  if (std::string mounted = machine.volumeId(); !mounted.empty()) {
    order.source = co_await client_.findVolume(machine.app, mounted, deadline);
    if (!order.source) {
      throw Error(ErrorCode::UpstreamFailed,
                  format("The Machine's volume {} does not exist, so it cannot be copied to another host.", mounted))
          .withInstance(place_id.str());
    }
    order.volumeGb = order.source->sizeGb;
    present = co_await volumes_.sortedIn(machine.app, mounted, {}, deadline);
    if (present.record.entries.empty()) present.record.entries = readStorage(machine.metadata(kMetaStorage));
  }
  Machine moved;
  if (order.source) {
    moved = co_await placer_.placeOnCopy(std::move(order), std::move(present), progress, deadline);
  } else {
    moved = co_await placer_.placeAnywhere(order, progress, deadline);
  }
  progress.step(Step::StartMachine);
  moved = co_await lifecycle_.waitFor(std::move(moved), kLaunched, deadline, 0);
  co_await removeLeftovers(moved, deadline);
  co_return moved;
}

}  // namespace swarm::flyio
