// Calls that a lost response, an incomplete list or a slow detachment does not confuse.
#include "provider/flyio/volume/volumes.h"

#include "base/diagnostics/fault.h"
#include "base/text/format.h"
#include "provider/flyio/api/transport/backoff.h"

namespace swarm::flyio {

awaitable<StorageRecord> VolumeRecords::read(std::string app, Deadline deadline) {
  if (auto kept = kept_.find(app); kept != kept_.end()) co_return kept->second;
  auto text = co_await client_.readSecret(app, std::string(kStorageSecret), deadline);
  co_return text ? readRecord(*text) : StorageRecord{};
}

awaitable<void> VolumeRecords::write(std::string app, StorageRecord record, Deadline deadline) {
  updateKept(app, record);
  bool is_empty = record.entries.empty() && record.copyName.empty();
  json::value text = is_empty ? json::value(nullptr) : json::value(writeRecord(record));
  co_await client_.setSecrets(app, {{kStorageSecret, std::move(text)}}, deadline);
}

void VolumeRecords::updateKept(const std::string& app, const StorageRecord& record) {
  if (auto kept = kept_.find(app); kept != kept_.end()) kept->second = record;
}

Error noSnapshot(const std::string& snapshot_id) {
  return Error(ErrorCode::Unprocessable, format("Fly has no snapshot {} of this workspace, or has deleted it: each one is kept for a "
                                                "limited number of days.",
                                                snapshot_id))
      .withField("/snapshot", "no longer exists");
}

awaitable<std::vector<Volume>> Volumes::listIn(std::string app, Deadline deadline) {
  Backoff backoff(client_.tuning(), client_.tuning().lookFor);
  for (;;) {
    std::vector<Volume> found = co_await client_.listVolumes(app, deadline);
    if (!found.empty()) co_return found;
    auto known = co_await client_.findApp(app, deadline);
    if (!known || known->volumeCount == 0) co_return found;
    if (!backoff.isPatient()) throw contradictoryLists(app, format("{} volumes", known->volumeCount));
    co_await backoff.pause(deadline, "Timed out waiting for Fly's lists to agree.");
  }
}

awaitable<void> Volumes::addRecorded(std::vector<Volume>& volumes, std::string app, const std::vector<ExternalResource>& recorded,
                                     Deadline deadline) {
  for (const ExternalResource& resource : recorded) {
    bool is_listed = std::ranges::find(volumes, resource.id, &Volume::id) != volumes.end();
    if (resource.kind != ResourceKind::volume || resource.id.empty() || is_listed) continue;
    auto volume = co_await client_.findVolume(app, resource.id, deadline);
    if (volume) volumes.push_back(std::move(*volume));
  }
}

awaitable<AppVolumes> Volumes::sortedIn(std::string app, std::string mounted, std::vector<ExternalResource> known, Deadline deadline) {
  AppVolumes found;
  found.all = co_await listIn(app, deadline);
  found.record = co_await records_.read(app, deadline);
  known.push_back({ResourceKind::volume, mounted});
  known.push_back({ResourceKind::volume, found.record.volumeId});
  co_await addRecorded(found.all, app, known, deadline);
  found.choice = chooseVolume(found.all, mounted, found.record, known);
  co_return found;
}

awaitable<Made<Volume>> Volumes::create(const MachineOrder& order, std::string region, Deadline deadline) {
  bool is_copy = !order.snapshotId.empty();
  VolumeRequest request{.app = order.app,
                        .name = is_copy ? readerVolume(order.placeId) : volumeName(order.volumeGeneration),
                        .region = region,
                        .sizeGb = order.volumeGb,
                        .guest = toJson(order.guest),
                        .isBackedUp = !is_copy,
                        .retentionDays = is_copy ? 1 : retention_days_,
                        .sourceVolumeId = order.source ? order.source->id : "",
                        .snapshotId = order.snapshotId};
  const std::string name = request.name;
  faultPoint("flyio.create.volume.before");
  FlyResult<Volume> created = co_await client_.createVolume(std::move(request), deadline);
  faultPoint("flyio.create.volume.after");
  if (created) co_return std::move(*created);
  const FlyFailure& failure = created.error();
  if (failure.shortage() != Shortage::None) co_return std::unexpected(NotMade{failure.shortage(), failure.error()});
  if (is_copy && failure.isAbsent()) throw noSnapshot(order.snapshotId);
  if (!failure.isFateOpen()) throw failure.error();
  // Volume names are not unique: a second request could create a second volume. It appears in the list, or was never created.
  Backoff backoff(client_.tuning(), client_.tuning().lookFor);
  for (;;) {
    std::vector<Volume> volumes = co_await client_.listVolumes(order.app, deadline);
    for (Volume& volume : volumes) {
      if (volume.name == name && !order.knownVolumes.contains(volume.id)) co_return std::move(volume);
    }
    if (!backoff.isPatient()) throw failure.error();
    co_await backoff.pause(deadline, "Timed out determining whether the volume was created.");
  }
}

awaitable<void> Volumes::extend(Volume volume, std::int64_t size_gb, Deadline deadline) {
  if (size_gb <= volume.sizeGb) co_return;
  faultPoint("flyio.extend.volume.before");
  co_await client_.extendVolume(std::move(volume), size_gb, deadline);
  faultPoint("flyio.extend.volume.after");
}

awaitable<void> Volumes::remove(std::string app, std::string volume_id, Deadline deadline) {
  Backoff backoff(client_.tuning(), client_.tuning().boundPatience);
  for (;;) {
    faultPoint("flyio.delete.volume.before");
    FlyResult<void> removed = co_await client_.deleteVolume(app, volume_id, deadline);
    faultPoint("flyio.delete.volume.after");
    if (removed || removed.error().isAbsent()) co_return;
    // It stays attached for seconds after its Machine was destroyed (E25).
    if (!removed.error().isTemporary() || !backoff.isPatient()) throw removed.error().error();
    co_await backoff.pause(deadline, format("Timed out deleting the volume {}, which was still attached to a Machine.", volume_id));
  }
}

awaitable<bool> Volumes::waitUntilWhole(std::string app, std::string volume_id, Deadline deadline) {
  Backoff backoff(client_.tuning());
  for (;;) {
    auto volume = co_await client_.findVolume(app, volume_id, deadline);
    if (!volume) co_return false;
    if (volume->isWhole()) co_return true;
    // Fly has no event for it. When time is short, the next start cleans up.
    if (deadline.left() <= backoff.delay() + std::chrono::seconds(2)) co_return false;
    co_await backoff.pause(deadline, "Timed out waiting for the copy of the volume.");
  }
}

}  // namespace swarm::flyio
