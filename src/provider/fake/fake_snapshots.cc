// The fake provider's own snapshots of volumes, and readers of them.
#include "provider/fake/fake_provider.h"

namespace swarm::fake {

awaitable<std::vector<VolumeSnapshot>> FakeProvider::listSnapshots(PlaceId place_id, std::vector<ExternalResource>, Deadline) {
  co_await call("listSnapshots");
  std::vector<VolumeSnapshot> list;
  for (const FakeVolumeSnapshot& taken : world_.volumeSnapshots())
    if (taken.placeId == place_id) list.insert(list.begin(), {taken.id, taken.createdAt, taken.expiresAt, 1});
  co_return list;
}

awaitable<ProviderInstance> FakeProvider::openSnapshot(SnapshotReader reader, Progress& progress, Deadline) {
  co_await call("openSnapshot");
  InstanceSpec spec = reader.of;
  spec.placeId = reader.placeId;
  spec.config.network.exposedPorts.clear();
  for (std::size_t i = 0; i < spec.config.storage.size(); ++i) {
    spec.config.storage[i].volumeName.clear();
    co_await step("openSnapshot", Step::CreateVolume, progress, options_.times.step);
    std::string volume = world_.ensureCopy(options_.swarmId, spec, i, reader.snapshotId);
    co_await respond("openSnapshot", Step::CreateVolume);
    co_await progress.recorded({ResourceKind::volume, volume});
  }
  co_await makeContainer("openSnapshot", spec, progress);
  co_await startContainer("openSnapshot", spec.placeId, progress);
  co_return describe(existing(spec.placeId));
}

}  // namespace swarm::fake
