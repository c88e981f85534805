// Moves an instance to another host when its own has no capacity (docs/reference/fly-machines.md §12, pitfall 2). There are never two
// writers, and the only copy of the files is never deleted:
//   M0 (stopped) on V0                       nothing done yet
//   M0 on V0, fork V1                        copied; M1 does not exist yet: V1 has no value, M0 and V0 are current
//   M0 on V0, M1 (newer generation) on V1    M1 is current, M0 is never started again
//   M1 on V1                                 done: V0 was deleted when all of V1 was on its own host
// What may be deleted is recorded first: the copy's name in the app's record, V0's id in M1's metadata. No other volume is deleted.
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/flyio/api/json_access.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/machine/berth.h"
#include "provider/flyio/volume/app_volumes.h"

namespace swarm::flyio {

awaitable<bool> FlyIOProvider::waitUntilWhole(std::string app, std::string volume_id, Deadline deadline) {
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (;;) {
    auto volume = co_await client_.findVolume(app, volume_id, deadline);
    if (!volume) co_return false;
    if (volume->isWhole()) co_return true;
    // Fly has no event for it. When time is short, the next start cleans up.
    if (deadline.left() <= delay + std::chrono::seconds(2)) co_return false;
    co_await client_.pause(client_.jittered(delay), deadline, "Timed out waiting for the copy of the volume.");
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<void> FlyIOProvider::tidyUp(Machine current, Deadline deadline) {
  if (isReader(current)) co_return;  // deleteInstance removes all that a reader leaves
  const std::string instance_id = current.metadata(kMetaInstance);
  std::vector<Machine> machines = co_await machinesIn(current.app, deadline);
  for (const Machine& machine : machines) {
    bool is_older =
        machine.metadata(kMetaInstance) == instance_id && machine.id != current.id && generationOf(machine) < generationOf(current);
    if (is_older) co_await destroyMachine(machine, deadline);
  }
  const std::string mounted = current.volumeId();
  bool is_clean = mounted.empty() || co_await tidyVolumes(current, mounted, deadline);
  if (is_clean) tidy_.insert(instance_id);
}

/// False: the copy is not complete yet, and its source is still needed.
awaitable<bool> FlyIOProvider::tidyVolumes(const Machine& current, std::string mounted, Deadline deadline) {
  AppVolumes present = co_await appVolumes(current.app, mounted, {}, deadline);
  StorageRecord& record = present.record;
  bool is_outdated = !record.copyName.empty() || (!record.volumeId.empty() && record.volumeId != mounted);
  record.volumeId = mounted;
  for (const Volume& volume : present.all) {
    if (isAbandonedCopy(volume, record)) co_await dropVolume(current.app, volume.id, deadline);
  }
  record.copyName.clear();
  if (is_outdated) co_await writeRecordOf(current.app, record, deadline);
  std::vector<std::string> replaced = replacedBy(current);
  std::erase_if(replaced, [&](const std::string& id) {
    return id == mounted || std::ranges::find(present.all, id, &Volume::id) == present.all.end();
  });
  if (replaced.empty()) co_return true;
  if (!co_await waitUntilWhole(current.app, mounted, deadline)) co_return false;
  for (const std::string& id : replaced) co_await dropVolume(current.app, id, deadline);
  co_return true;
}

awaitable<Machine> FlyIOProvider::placeOnCopy(Berth berth, AppVolumes present, Progress& progress, Deadline deadline) {
  StorageRecord& record = present.record;
  record.volumeId = berth.source->id;
  for (const Volume& volume : present.all) {
    // Of an earlier attempt, and older than the source's current content.
    if (isAbandonedCopy(volume, record)) co_await dropVolume(berth.app, volume.id, deadline);
    berth.knownVolumes.insert(volume.id);
  }
  berth.volumeGeneration = present.nextGeneration();
  record.copyName = volumeName(berth.volumeGeneration);
  co_await writeRecordOf(berth.app, record, deadline);
  Machine machine = co_await placeAnywhere(berth, progress, deadline);
  if (std::string mounted = machine.volumeId(); !mounted.empty()) record.volumeId = mounted;
  co_await writeRecordOf(berth.app, std::move(record), deadline);
  co_return machine;
}

awaitable<Machine> FlyIOProvider::moveElsewhere(Machine machine, json::object config, Progress& progress, Deadline deadline) {
  const std::string instance_id = machine.metadata(kMetaInstance);
  if (isReader(machine)) {  // a fork of its volume would pass for the instance's
    throw Error(ErrorCode::OutOfResources, "The host of the snapshot's copy has no capacity for its Machine. Try again.")
        .withRetryable(true);
  }
  progress.step(Step::MoveToAnotherHost);
  tidy_.erase(instance_id);
  Berth berth;
  berth.app = machine.app;
  berth.instanceId = instance_id;
  berth.machineGeneration = generationOf(machine) + 1;
  berth.config = patchedConfig(config, {});
  if (const json::value* guest = config.if_contains("guest")) berth.guest = readGuest(*guest);
  berth.regions = {machine.region};
  for (const std::string& region : regionsAllowed(machine, config_)) {
    if (region != machine.region) berth.regions.push_back(region);
  }
  AppVolumes present;
  if (std::string mounted = machine.volumeId(); !mounted.empty()) {
    berth.source = co_await client_.findVolume(machine.app, mounted, deadline);
    if (!berth.source) {
      throw Error(ErrorCode::UpstreamFailed,
                  format("The Machine's volume {} does not exist, so it cannot be copied to another host.", mounted))
          .withInstance(instance_id);
    }
    berth.volumeGb = berth.source->sizeGb;
    present = co_await appVolumes(machine.app, mounted, {}, deadline);
    if (present.record.entries.empty()) present.record.entries = readStorage(machine.metadata(kMetaStorage));
  }
  Machine moved;
  if (berth.source) {
    moved = co_await placeOnCopy(std::move(berth), std::move(present), progress, deadline);
  } else {
    moved = co_await placeAnywhere(berth, progress, deadline);
  }
  progress.step(Step::StartMachine);
  moved = co_await waitFor(std::move(moved), "started,stopped,failed", 0, deadline);
  co_await tidyUp(moved, deadline);
  co_return moved;
}

}  // namespace swarm::flyio
