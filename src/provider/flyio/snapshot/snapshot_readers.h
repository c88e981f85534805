// SnapshotReaders: the snapshots that Fly takes of volumes, and their readers: a volume that is created from one in the same app (a
// snapshot cannot leave it), and a held Machine on it. A reader has an id of its own, and everything of it has that id or a name derived
// from it; the rest is the instance's and is never changed here.
#pragma once

#include <string>
#include <vector>

#include "async/lock/keyed_lock.h"
#include "provider/flyio/app/apps.h"
#include "provider/flyio/app/regions.h"
#include "provider/flyio/machine/host_moves.h"

namespace swarm::flyio {

class SnapshotReaders final : public VolumeSnapshots {
 public:
  SnapshotReaders(MachinesClient& client, const FlySwarm& swarm, MachineCache& cache, MachineFinder& machines, MachineLifecycle& lifecycle,
                  Apps& apps, Regions& regions, Volumes& volumes, Placer& placer, HostMoves& moves, async::KeyedLock& locks)
      : client_(client),
        swarm_(swarm),
        cache_(cache),
        machines_(machines),
        lifecycle_(lifecycle),
        apps_(apps),
        regions_(regions),
        volumes_(volumes),
        placer_(placer),
        moves_(moves),
        locks_(locks) {}

  bool isSnapshotId(std::string_view id) const override { return id.starts_with("vs_"); }
  awaitable<std::vector<VolumeSnapshot>> listSnapshots(PlaceId place_id, std::vector<ExternalResource> external,
                                                       Deadline deadline) override;
  awaitable<ProviderInstance> openSnapshot(SnapshotReader reader, Progress& progress, Deadline deadline) override;

  /// The app that contains a reader of that id; empty: it is not a reader.
  awaitable<std::string> findApp(PlaceId id, const std::vector<ExternalResource>& external, Deadline deadline);
  awaitable<void> close(std::string app, PlaceId id, std::vector<ExternalResource> external, Progress& progress, Deadline deadline);

 private:
  awaitable<std::vector<StoredSnapshot>> snapshotsIn(std::string app, const std::vector<Volume>& volumes,
                                                     std::vector<ExternalResource> external, Deadline deadline);
  awaitable<Machine> createReader(const InstancePlan& plan, const SnapshotReader& reader, Progress& progress, Deadline deadline);
  awaitable<Machine> createOn(const Volume& volume, const MachineOrder& order, Progress& progress, Deadline deadline);

  MachinesClient& client_;
  const FlySwarm& swarm_;
  MachineCache& cache_;
  MachineFinder& machines_;
  MachineLifecycle& lifecycle_;
  Apps& apps_;
  Regions& regions_;
  Volumes& volumes_;
  Placer& placer_;
  HostMoves& moves_;
  async::KeyedLock& locks_;
};

}  // namespace swarm::flyio
