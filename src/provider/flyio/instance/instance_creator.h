// InstanceCreator: app, secrets, addresses, volume, Machine, in this order. Every step can be repeated: it finds and uses what exists.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "provider/flyio/app/regions.h"
#include "provider/flyio/machine/host_moves.h"
#include "provider/flyio/volume/volume_catalog.h"

namespace swarm::flyio {

class InstanceCreator {
 public:
  InstanceCreator(MachinesClient& client, const FlySwarm& swarm, MachineCache& cache, MachineFinder& machines, Apps& apps, Regions& regions,
                  Volumes& volumes, VolumeRecords& records, VolumeCatalog& catalog, Placer& placer, HostMoves& moves,
                  async::KeyedLock& locks)
      : client_(client),
        swarm_(swarm),
        cache_(cache),
        machines_(machines),
        apps_(apps),
        regions_(regions),
        volumes_(volumes),
        records_(records),
        catalog_(catalog),
        placer_(placer),
        moves_(moves),
        locks_(locks) {}

  awaitable<ProviderInstance> create(InstanceSpec spec, Progress& progress, Deadline deadline);
  awaitable<std::vector<LostVolume>> findLostVolumes(InstanceSpec spec, Deadline deadline);
  /// Completes the plan: regions, and the app of existing volumes that are requested by name.
  awaitable<void> complete(InstancePlan& plan, Deadline deadline);

 private:
  awaitable<void> useExistingVolumes(InstancePlan& plan, Deadline deadline);
  awaitable<void> requireKnownVolumes(const InstanceSpec& spec, Deadline deadline);
  awaitable<Machine> createMachine(const InstanceSpec& spec, InstancePlan plan, AppState state, Progress& progress, Deadline deadline);

  MachinesClient& client_;
  const FlySwarm& swarm_;
  MachineCache& cache_;
  MachineFinder& machines_;
  Apps& apps_;
  Regions& regions_;
  Volumes& volumes_;
  VolumeRecords& records_;
  VolumeCatalog& catalog_;
  Placer& placer_;
  HostMoves& moves_;
  async::KeyedLock& locks_;
};

}  // namespace swarm::flyio
