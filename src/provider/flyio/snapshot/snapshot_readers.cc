// Lists snapshots; opens and closes readers.
#include "provider/flyio/snapshot/snapshot_readers.h"

#include <algorithm>

#include "base/diagnostics/fault.h"
#include "base/id.h"
#include "base/text/format.h"
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

}  // namespace

awaitable<std::vector<StoredSnapshot>> SnapshotReaders::snapshotsIn(std::string app, const std::vector<Volume>& volumes,
                                                                    std::vector<ExternalResource> external, Deadline deadline) {
  std::vector<StoredSnapshot> found;
  for (const std::string& id : volumesWithFiles(volumes, external)) {
    std::vector<StoredSnapshot> of_volume = co_await client_.listSnapshots(app, id, deadline);
    std::ranges::copy_if(of_volume, std::back_inserter(found), isComplete);
  }
  std::ranges::sort(found, std::ranges::greater(), &StoredSnapshot::createdAt);
  co_return found;
}

awaitable<std::vector<VolumeSnapshot>> SnapshotReaders::listSnapshots(PlaceId place_id, std::vector<ExternalResource> external,
                                                                      Deadline deadline) {
  std::string app = swarm_.appOf(place_id, external);
  std::vector<Volume> volumes = co_await client_.listVolumes(app, deadline);
  std::vector<StoredSnapshot> stored = co_await snapshotsIn(app, volumes, std::move(external), deadline);
  std::vector<VolumeSnapshot> all;
  for (const StoredSnapshot& one : stored) {
    SystemTime expires = one.retentionDays > 0 ? one.createdAt + std::chrono::days(one.retentionDays) : SystemTime{};
    all.push_back({one.id, one.createdAt, expires, one.sizeBytes});
  }
  co_return all;
}

awaitable<Machine> SnapshotReaders::createOn(const Volume& volume, const MachineOrder& order, Progress& progress, Deadline deadline) {
  co_await progress.recorded({ResourceKind::volume, volume.id});
  co_await volumes_.waitUntilWhole(order.app, volume.id, deadline);
  progress.step(Step::CreateMachine);
  Made<Machine> made = co_await placer_.create(order, volume.region, volume.id, deadline);
  if (!made) {  // it is a copy: the next attempt creates another one, on another host
    co_await volumes_.remove(order.app, volume.id, deadline);
    throw made.error().error;
  }
  co_await progress.recorded({ResourceKind::machine, made->id});
  co_return std::move(*made);
}

awaitable<Machine> SnapshotReaders::createReader(const InstancePlan& plan, const SnapshotReader& reader, Progress& progress,
                                                 Deadline deadline) {
  MachineOrder order = orderOf(plan);
  order.volumeGb = 0;
  order.snapshotId = reader.snapshotId;
  std::vector<Volume> volumes = co_await volumes_.listIn(plan.app, deadline);
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
    std::vector<StoredSnapshot> stored = co_await snapshotsIn(plan.app, volumes, reader.external, deadline);
    auto meant = std::ranges::find(stored, reader.snapshotId, &StoredSnapshot::id);
    if (meant == stored.end()) throw noSnapshot(reader.snapshotId);
    order.volumeGb = std::max({order.volumeGb, (meant->volumeBytes + kBytesPerGb - 1) / kBytesPerGb, std::int64_t{1}});
  }
  if (!plan.agentFile.empty()) {
    progress.step(Step::WriteSecrets);
    faultPoint("flyio.reader.secrets.before");
    json::object values{{readerSecret(plan.placeId), toBase64(plan.agentFile.reveal())}};
    order.secretsVersion = co_await client_.setSecrets(plan.app, std::move(values), deadline);
    faultPoint("flyio.reader.secrets.after");
  }
  co_await apps_.ensureAddresses(plan, AppState::Existing, deadline);
  if (created_before) co_return co_await createOn(*created_before, order, progress, deadline);
  co_return co_await placer_.placeAnywhere(order, progress, deadline);
}

awaitable<ProviderInstance> SnapshotReaders::openSnapshot(SnapshotReader reader, Progress& progress, Deadline deadline) {
  auto guard = co_await locks_.acquire(reader.placeId.str(), deadline);
  std::string app = swarm_.appOf(reader.of.placeId, reader.external);
  // Its image is the instance's, so its agent takes the same credential.
  auto instance = co_await machines_.findIn(app, reader.of.placeId, deadline);
  InstancePlan plan = planReader(reader, swarm_.config, swarm_.id, instance ? credentialOf(*instance) : AgentCredential::PublicKey);
  plan.app = std::move(app);
  cache_.clearAbsent(plan.placeId);
  // Before anything is created, so that it is found after a crash.
  co_await progress.recorded({ResourceKind::reader, plan.app});
  auto machine = co_await machines_.findIn(plan.app, plan.placeId, deadline);
  if (machine) {
    co_await recordFound(*machine, progress);
  } else {
    if (plan.regions.empty()) co_await regions_.choose(plan, deadline);
    machine = co_await createReader(plan, reader, progress, deadline);
  }
  progress.step(Step::StartMachine);
  Machine started = co_await moves_.start(std::move(*machine), progress, deadline);
  co_return toInstance(started, swarm_.config);
}

awaitable<std::string> SnapshotReaders::findApp(PlaceId id, const std::vector<ExternalResource>& external, Deadline deadline) {
  for (const ExternalResource& resource : external) {
    if (resource.kind == ResourceKind::reader && swarm_.owns(resource.id)) co_return resource.id;
  }
  if (const MachineCache::Place* known = cache_.find(id)) co_return known->isReader ? known->app : "";
  if (!external.empty()) co_return "";  // the ids of an instance
  auto machine = co_await machines_.find(id, deadline);
  co_return machine&& isReader(*machine) ? machine->app : "";
}

awaitable<void> SnapshotReaders::close(std::string app, PlaceId id, std::vector<ExternalResource> external, Progress& progress,
                                       Deadline deadline) {
  if (co_await apps_.isGone(app, Confirmation::Repeated, deadline)) co_return;
  progress.step(Step::DestroyMachine);
  std::vector<Machine> machines = co_await machines_.listIn(app, deadline);
  std::vector<Volume> volumes = co_await volumes_.listIn(app, deadline);
  co_await machines_.addRecorded(machines, app, external, deadline);
  co_await volumes_.addRecorded(volumes, app, external, deadline);
  for (const Machine& machine : machines) {
    if (isReader(machine) && placeOf(machine) == id) co_await lifecycle_.destroy(machine, deadline);
  }
  progress.step(Step::DeleteVolume);
  for (const Volume& volume : volumes) {
    if (volume.name == readerVolume(id)) co_await volumes_.remove(app, volume.id, deadline);
  }
  // One 404 proves nothing, and the app stays: a listed volume exists.
  volumes = co_await client_.listVolumes(app, deadline);
  auto left = std::ranges::find(volumes, readerVolume(id), &Volume::name);
  if (left != volumes.end())
    throw Error(ErrorCode::Unavailable, format("Fly still has the volume {} after its deletion. Try again.", left->id));
  co_await client_.setSecrets(app, {{readerSecret(id), nullptr}}, deadline);
}

}  // namespace swarm::flyio
