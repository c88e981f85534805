// The snapshots that Fly takes of volumes, and their readers: a volume that is created from one in the same app (a snapshot cannot leave
// it), and a held Machine on it. A reader has an id of its own, and everything of it has that id or a name derived from it; the rest is the
// instance's and is never changed here.
#include <algorithm>

#include "base/diagnostics/fault.h"
#include "base/id.h"
#include "base/text/format.h"
#include "provider/flyio/fly_parts.h"
#include "provider/flyio/spec/machine_state.h"

namespace swarm::flyio {
namespace {

constexpr std::int64_t kBytesPerGb = 1024LL * 1024 * 1024;

bool isComplete(const StoredSnapshot& snapshot) { return snapshot.status.empty() || snapshot.status == "created"; }

/// The volumes, also deleted ones, whose snapshots have files of the instance.
std::vector<std::string> volumesWithFiles(const std::vector<Volume>& volumes, const std::vector<ExternalResource>& external) {
  std::vector<std::string> ids;
  // Snapshots of a stray have none of the instance's files.
  auto mounted = std::ranges::find_if(volumes, [](const Volume& volume) { return generationOf(volume) >= 0 && !volume.machineId.empty(); });
  VolumeChoice choice = chooseVolume(volumes, mounted == volumes.end() ? "" : mounted->id, {}, external);
  if (choice.data) ids.push_back(choice.data->id);
  for (const Volume& volume : choice.strays) {
    bool was_its = std::ranges::count(external, ExternalResource{ResourceKind::volume, volume.id}) > 0;
    if (!choice.data || was_its) ids.push_back(volume.id);
  }
  // Fly keeps the snapshots of a deleted volume (the instance was moved to another host) until they expire.
  for (const ExternalResource& resource : external) {
    if (resource.kind == ResourceKind::volume && std::ranges::count(volumes, resource.id, &Volume::id) == 0) ids.push_back(resource.id);
  }
  return ids;
}

awaitable<std::vector<StoredSnapshot>> snapshotsIn(FlyParts& parts, std::string app, const std::vector<Volume>& volumes,
                                                   std::vector<ExternalResource> external, Deadline deadline) {
  std::vector<StoredSnapshot> found;
  for (const std::string& id : volumesWithFiles(volumes, external)) {
    std::vector<StoredSnapshot> of_volume = co_await parts.client.listSnapshots(app, id, deadline);
    std::ranges::copy_if(of_volume, std::back_inserter(found), isComplete);
  }
  std::ranges::sort(found, std::ranges::greater(), &StoredSnapshot::createdAt);
  co_return found;
}

awaitable<Machine> createOn(FlyParts& parts, const Volume& volume, const MachineOrder& order, Progress& progress, Deadline deadline) {
  co_await progress.recorded({ResourceKind::volume, volume.id});
  co_await parts.volumes.waitUntilWhole(order.app, volume.id, deadline);
  progress.step(Step::CreateMachine);
  Made<Machine> made = co_await parts.placer.create(order, volume.region, volume.id, deadline);
  if (!made) {  // it is a copy: the next attempt creates another one, on another host
    co_await parts.volumes.remove(order.app, volume.id, deadline);
    throw made.error().error;
  }
  co_await progress.recorded({ResourceKind::machine, made->id});
  co_return std::move(*made);
}

awaitable<Machine> createReader(FlyParts& parts, const InstancePlan& plan, const SnapshotReader& reader, Progress& progress,
                                Deadline deadline) {
  MachineOrder order = orderOf(plan);
  order.volumeGb = 0;
  order.snapshotId = reader.snapshotId;
  std::vector<Volume> volumes = co_await parts.volumes.listIn(plan.app, deadline);
  const Volume* created_before = nullptr;
  for (const Volume& volume : volumes) {
    order.knownVolumes.insert(volume.id);
    if (volume.name == readerVolume(plan.placeId)) created_before = &volume;
    if (isReader(volume)) continue;
    order.volumeGb = std::max(order.volumeGb, volume.sizeGb);
    std::erase(order.regions, volume.region);  // the snapshot's region first
    order.regions.insert(order.regions.begin(), volume.region);
  }
  if (!created_before) {
    std::vector<StoredSnapshot> stored = co_await snapshotsIn(parts, plan.app, volumes, reader.external, deadline);
    auto meant = std::ranges::find(stored, reader.snapshotId, &StoredSnapshot::id);
    if (meant == stored.end()) throw noSnapshot(reader.snapshotId);
    order.volumeGb = std::max({order.volumeGb, (meant->volumeBytes + kBytesPerGb - 1) / kBytesPerGb, std::int64_t{1}});
  }
  if (!plan.agentFile.empty()) {
    progress.step(Step::WriteSecrets);
    faultPoint("flyio.reader.secrets.before");
    json::object values{{readerSecret(plan.placeId), toBase64(plan.agentFile.reveal())}};
    order.secretsVersion = co_await parts.client.setSecrets(plan.app, std::move(values), deadline);
    faultPoint("flyio.reader.secrets.after");
  }
  co_await parts.apps.ensureAddresses(plan, AppState::Existing, deadline);
  if (created_before) co_return co_await createOn(parts, *created_before, order, progress, deadline);
  co_return co_await parts.placer.placeAnywhere(order, progress, deadline);
}

}  // namespace

awaitable<std::vector<VolumeSnapshot>> listSnapshots(FlyParts& parts, PlaceId place_id, std::vector<ExternalResource> external,
                                                     Deadline deadline) {
  std::string app = parts.swarm.appOf(place_id, external);
  std::vector<Volume> volumes = co_await parts.client.listVolumes(app, deadline);
  std::vector<StoredSnapshot> stored = co_await snapshotsIn(parts, app, volumes, std::move(external), deadline);
  std::vector<VolumeSnapshot> all;
  for (const StoredSnapshot& one : stored) {
    SystemTime expires = one.retentionDays > 0 ? one.createdAt + std::chrono::days(one.retentionDays) : SystemTime{};
    all.push_back({one.id, one.createdAt, expires, one.sizeBytes});
  }
  co_return all;
}

awaitable<ProviderInstance> openSnapshot(FlyParts& parts, SnapshotReader reader, Progress& progress, Deadline deadline) {
  auto guard = co_await parts.locks.acquire(reader.placeId.str(), deadline);
  std::string app = parts.swarm.appOf(reader.of.placeId, reader.external);
  // Its image is the instance's, so its agent takes the same credential.
  auto instance = co_await parts.machines.findIn(app, reader.of.placeId, deadline);
  InstancePlan plan =
      planReader(reader, parts.swarm.config, parts.swarm.id, instance ? credentialOf(*instance) : AgentCredential::PublicKey);
  plan.app = std::move(app);
  parts.cache.clearAbsent(plan.placeId);
  // Before anything is created, so that it is found after a crash.
  co_await progress.recorded({ResourceKind::reader, plan.app});
  auto machine = co_await parts.machines.findIn(plan.app, plan.placeId, deadline);
  if (machine) {
    co_await recordFound(*machine, progress);
  } else {
    if (plan.regions.empty()) co_await parts.regions.choose(plan, deadline);
    machine = co_await createReader(parts, plan, reader, progress, deadline);
  }
  progress.step(Step::StartMachine);
  Machine started = co_await parts.moves.start(std::move(*machine), progress, deadline);
  co_return toInstance(started, parts.swarm.config);
}

awaitable<std::string> findReader(FlyParts& parts, PlaceId id, const std::vector<ExternalResource>& external, Deadline deadline) {
  for (const ExternalResource& resource : external) {
    if (resource.kind == ResourceKind::reader && parts.swarm.owns(resource.id)) co_return resource.id;
  }
  if (const MachineCache::Entry* known = parts.cache.find(id)) co_return known->isReader ? known->app : "";
  if (!external.empty()) co_return "";  // the ids of an instance
  auto machine = co_await parts.machines.find(id, deadline);
  co_return machine&& isReader(*machine) ? machine->app : "";
}

awaitable<void> closeReader(FlyParts& parts, std::string app, PlaceId id, std::vector<ExternalResource> external, Progress& progress,
                            Deadline deadline) {
  if (co_await parts.apps.isGone(app, Confirmation::Repeated, deadline)) co_return;
  progress.step(Step::DestroyMachine);
  std::vector<Machine> machines = co_await parts.machines.listIn(app, deadline);
  std::vector<Volume> volumes = co_await parts.volumes.listIn(app, deadline);
  co_await parts.machines.addRecorded(machines, app, external, deadline);
  co_await parts.volumes.addRecorded(volumes, app, external, deadline);
  for (const Machine& machine : machines) {
    if (isReader(machine) && placeOf(machine) == id) co_await parts.lifecycle.destroy(machine, deadline);
  }
  progress.step(Step::DeleteVolume);
  for (const Volume& volume : volumes) {
    if (volume.name == readerVolume(id)) co_await parts.volumes.remove(app, volume.id, deadline);
  }
  // One 404 proves nothing, and the app stays: a listed volume exists.
  volumes = co_await parts.client.listVolumes(app, deadline);
  auto left = std::ranges::find(volumes, readerVolume(id), &Volume::name);
  if (left != volumes.end())
    throw Error(ErrorCode::Unavailable, format("Fly still has the volume {} after its deletion. Try again.", left->id));
  co_await parts.client.setSecrets(app, {{readerSecret(id), nullptr}}, deadline);
}

}  // namespace swarm::flyio
