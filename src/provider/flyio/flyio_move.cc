// Moving an instance to another host when its own has no room (fly-machines.md §12, pitfall 2). Never two writers, never a copy less:
//   M0 (stopped) on V0                       nothing done yet
//   M0 on V0, fork V1                        copied; M1 is not made yet: V1 is of no value, M0 and V0 count
//   M0 on V0, M1 (newer generation) on V1    M1 counts, M0 is never started again
//   M1 on V1                                 done: V0 went when all of V1 was on its own host
#include "base/format.h"
#include "base/log.h"
#include "provider/flyio/berth.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/json_access.h"

namespace swarm::flyio {

awaitable<bool> FlyIOProvider::waitUntilWhole(std::string app, std::string volume_id, Deadline deadline) {
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (;;) {
    auto volume = co_await client_.findVolume(app, volume_id, deadline);
    if (!volume) co_return false;
    if (volume->isWhole()) co_return true;
    // Fly tells of no event for it. What can't be waited for now is tidied up at the next start.
    if (deadline.left() <= delay + std::chrono::seconds(2)) co_return false;
    co_await client_.pause(client_.jittered(delay), deadline, "The copy of the volume was not finished in time.");
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<void> FlyIOProvider::tidyUp(Machine current, Deadline deadline) {
  if (isReader(current)) co_return;  // nothing in its app is left over from it but what deleteInstance removes
  const std::string instance_id = current.metadata(kMetaInstance);
  std::vector<Machine> machines = co_await machinesIn(current.app, deadline);
  for (const Machine& machine : machines) {
    bool is_older =
        machine.metadata(kMetaInstance) == instance_id && machine.id != current.id && generationOf(machine) < generationOf(current);
    if (is_older) co_await destroyMachine(machine, deadline);
  }
  const std::string mounted = current.volumeId();
  bool is_clean = true;
  if (!mounted.empty()) {
    std::vector<Volume> volumes = co_await volumesIn(current.app, deadline);
    std::vector<Volume> left_over;
    for (const Volume& volume : volumes) {
      if (volume.id != mounted && generationOf(volume) >= 0) left_over.push_back(volume);
    }
    if (!left_over.empty()) is_clean = co_await waitUntilWhole(current.app, mounted, deadline);
    for (const Volume& volume : left_over) {
      if (is_clean) co_await dropVolume(current.app, volume.id, deadline);
    }
  }
  if (is_clean) tidy_.insert(instance_id);
}

awaitable<Machine> FlyIOProvider::moveElsewhere(Machine machine, json::object config, Progress& progress, Deadline deadline) {
  const std::string instance_id = machine.metadata(kMetaInstance);
  if (isReader(machine)) {  // a fork of its volume would be taken for the instance's
    throw Error(ErrorCode::OutOfResources, "The host of the snapshot's copy has no room for its Machine. Try again.").withRetryable(true);
  }
  progress.step("move to another host");
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
  if (std::string mounted = machine.volumeId(); !mounted.empty()) {
    berth.source = co_await client_.findVolume(machine.app, mounted, deadline);
    if (!berth.source) {
      throw Error(ErrorCode::UpstreamFailed, format("The Machine's volume {} is not there: it can't be copied to another host.", mounted))
          .withInstance(instance_id);
    }
    berth.volumeGb = berth.source->sizeGb;
    std::vector<Volume> volumes = co_await volumesIn(machine.app, deadline);
    for (const Volume& volume : volumes) {
      // A copy without a Machine is of an earlier try, and may be older than what is on the source now.
      bool is_stale = volume.id != mounted && generationOf(volume) > 0 && volume.machineId.empty();
      if (is_stale) co_await dropVolume(machine.app, volume.id, deadline);
      berth.knownVolumes.insert(volume.id);
    }
    berth.volumeGeneration = std::max(0, generationOf(*berth.source)) + 1;
  }
  Machine moved = co_await placeAnywhere(berth, progress, deadline);
  progress.step("start Machine");
  moved = co_await waitFor(std::move(moved), "started,stopped,failed", 0, deadline);
  co_await tidyUp(moved, deadline);
  co_return moved;
}

}  // namespace swarm::flyio
