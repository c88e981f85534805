// Attempts in order, each id recorded the moment it is known.
#include "provider/flyio/machine/placer.h"

#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "provider/flyio/api/transport/backoff.h"
#include "provider/flyio/spec/machine_patch.h"

namespace swarm::flyio {
namespace {

/// A volume that is created again in a region is placed on another host.
constexpr int kAttemptsPerRegion = 3;

void requireReachable(const Volume& volume, const PlaceId& place_id) {
  if (!volume.isHostUnreachable()) return;
  throw Error(ErrorCode::Unavailable,
              format("The volume {} is on an unreachable host of Fly: it can be mounted, copied and extended again when the host is back.",
                     volume.id))
      .withRetryable(false)
      .withInstance(place_id.str());
}

Error noRegionHasCapacity(const std::vector<std::string>& regions, const Error& last) {
  std::string tried;
  for (const std::string& region : regions) tried += (tried.empty() ? "" : ", ") + region;
  return Error(ErrorCode::OutOfResources,
               format("No region had capacity for the Machine (tried {}). The last error: {}", tried, last.message()))
      .withUpstream(UpstreamFacts(last.upstream()))
      .withCause(last.cause());
}

}  // namespace

awaitable<Machine> Placer::place(const InstancePlan& plan, AppVolumes present, std::int64_t secrets, Progress& progress,
                                 Deadline deadline) {
  MachineOrder order = orderOf(plan);
  order.secretsVersion = secrets;
  if (!present.choice.data) {
    for (const Volume& volume : present.all) order.knownVolumes.insert(volume.id);
    co_return co_await placeAnywhere(order, progress, deadline);
  }
  const Volume source = *present.choice.data;
  requireReachable(source, plan.placeId);
  co_await progress.recorded({ResourceKind::volume, source.id});
  co_await volumes_.extend(source, plan.volumeGb, deadline);
  order.volumeGb = std::max(order.volumeGb, source.sizeGb);
  progress.step(Step::CreateMachine);
  Made<Machine> made = co_await create(order, source.region, source.id, deadline);
  if (made) {
    co_await progress.recorded({ResourceKind::machine, made->id});
    co_return std::move(*made);
  }
  log::warning("the host of a volume had no capacity for its Machine; the volume is copied to another host",
               {{"instance", plan.placeId}, {"volume", source.id}});
  std::erase(order.regions, source.region);
  if (made.error().shortage != Shortage::Region) order.regions.insert(order.regions.begin(), source.region);
  if (order.regions.empty()) throw made.error().error;
  order.source = source;
  present.record.entries = plan.storage;
  co_return co_await placeOnCopy(std::move(order), std::move(present), progress, deadline);
}

awaitable<Made<std::string>> Placer::createVolume(const MachineOrder& order, std::string region, Progress& progress, Deadline deadline) {
  progress.step(Step::CreateVolume);
  Made<Volume> volume = co_await volumes_.create(order, region, deadline);
  if (!volume) co_return std::unexpected(std::move(volume.error()));
  co_await progress.recorded({ResourceKind::volume, volume->id});
  if (!order.snapshotId.empty()) co_await volumes_.waitUntilWhole(order.app, volume->id, deadline);
  co_return volume->id;
}

awaitable<Machine> Placer::placeAnywhere(const MachineOrder& order, Progress& progress, Deadline deadline) {
  std::optional<Error> last;
  for (const std::string& region : order.regions) {
    for (int tries = 0; tries < kAttemptsPerRegion; ++tries) {
      Made<std::string> volume_id;
      if (order.volumeGb > 0) volume_id = co_await createVolume(order, region, progress, deadline);
      if (!volume_id) {
        last = volume_id.error().error;
        break;
      }
      progress.step(Step::CreateMachine);
      Made<Machine> machine = co_await create(order, region, *volume_id, deadline);
      if (machine) {
        co_await progress.recorded({ResourceKind::machine, machine->id});
        co_return std::move(*machine);
      }
      last = machine.error().error;
      if (!volume_id->empty()) co_await volumes_.remove(order.app, *volume_id, deadline);
      log::info("found no capacity for a Machine", {{"instance", order.placeId}, {"region", region}, {"reason", last->message()}});
      if (machine.error().shortage == Shortage::Region || volume_id->empty()) break;
    }
  }
  if (!last) throw Error(ErrorCode::Internal, "No region was given for the Machine.");
  if (order.regions.size() < 2) throw *last;
  throw noRegionHasCapacity(order.regions, *last);
}

awaitable<Machine> Placer::placeOnCopy(MachineOrder order, AppVolumes present, Progress& progress, Deadline deadline) {
  StorageRecord& record = present.record;
  record.volumeId = order.source->id;
  for (const Volume& volume : present.all) {
    // Of an earlier attempt, and older than the source's current content.
    if (isAbandonedCopy(volume, record)) co_await volumes_.remove(order.app, volume.id, deadline);
    order.knownVolumes.insert(volume.id);
  }
  order.volumeGeneration = present.nextGeneration();
  record.copyName = volumeName(order.volumeGeneration);
  co_await records_.write(order.app, record, deadline);
  Machine machine = co_await placeAnywhere(order, progress, deadline);
  if (std::string mounted = machine.volumeId(); !mounted.empty()) record.volumeId = mounted;
  co_await records_.write(order.app, std::move(record), deadline);
  co_return machine;
}

awaitable<std::optional<Machine>> Placer::findByName(std::string app, std::string name, Deadline deadline) {
  Backoff backoff(client_.tuning(), client_.tuning().lookFor);
  for (;;) {
    std::vector<Machine> machines = co_await client_.listMachines(app, deadline);
    for (Machine& machine : machines) {
      if (machine.name == name && !machine.isGone()) co_return std::move(machine);
    }
    if (!backoff.isPatient()) co_return std::nullopt;
    co_await backoff.pause(deadline, "Timed out determining whether the Machine was created.");
  }
}

/// The Machine of that id, if it belongs to this instance and is not being destroyed.
awaitable<std::optional<Machine>> Placer::adopt(const MachineOrder& order, std::string machine_id, Deadline deadline) {
  if (machine_id.empty()) co_return std::nullopt;
  auto found = co_await client_.findMachine(order.app, machine_id, deadline);
  bool is_usable = found && !found->isGone() && found->state != MachineState::destroying && placeOf(*found) == order.placeId;
  if (!is_usable || cache_.wasDestroyed(machine_id)) co_return std::nullopt;
  co_return found;
}

awaitable<Made<Machine>> Placer::create(const MachineOrder& order, std::string region, std::string volume_id, Deadline deadline) {
  const std::string name = machineName(order.placeId, order.machineGeneration);
  json::object config = withMount(order.config, volume_id);
  if (order.source) config = replacing(std::move(config), order.source->id);
  const MachineRequest request{order.app, name, region, std::move(config), order.secretsVersion};
  Backoff backoff(client_.tuning(), client_.tuning().boundPatience);
  for (int repeats = 0;;) {
    faultPoint("flyio.create.machine.before");
    FlyResult<Machine> created = co_await client_.createMachine(request, deadline);
    faultPoint("flyio.create.machine.after");
    if (created) {
      cache_.noteCreated(created->id);
      cache_.remember(*created);
      co_return std::move(*created);
    }
    const FlyFailure& failure = created.error();
    if (failure.shortage() != Shortage::None) co_return std::unexpected(NotMade{failure.shortage(), failure.error()});
    if (failure.isFateOpen()) {
      if (auto found = co_await findByName(order.app, name, deadline)) co_return std::move(*found);
      // Its name is unique: if the first one appears after all, a repeat gets a 409 and creates no second.
      if (++repeats == client_.tuning().attempts) throw failure.error().withCause("no Machine of that name was found");
      continue;
    }
    // The name, or the volume, is taken: by the Machine of an earlier call that no list showed, or by one that is being destroyed.
    if (!isMachineNameTaken(failure.fault()) && !failure.isTemporary()) {
      throw failure.error(format(" from {}", stringIn(order.config, "image")));
    }
    if (auto found = co_await adopt(order, machineIdIn(failure.fault().text), deadline)) co_return std::move(*found);
    if (!backoff.isPatient()) throw failure.error();
    co_await backoff.pause(deadline, format("Timed out creating the Machine: {}.", failure.fault().text));
  }
}

}  // namespace swarm::flyio
