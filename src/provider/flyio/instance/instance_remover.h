// InstanceRemover: deletes Machine, volume, addresses and app. A kept volume keeps its app, because a volume on Fly cannot exist without
// one.
#pragma once

#include <string>
#include <vector>

#include "provider/flyio/app/apps.h"
#include "provider/flyio/machine/machine_lifecycle.h"
#include "provider/flyio/volume/volumes.h"

namespace swarm::flyio {

class InstanceRemover {
 public:
  InstanceRemover(const FlySwarm& swarm, MachineCache& cache, MachineFinder& machines, MachineLifecycle& lifecycle, Apps& apps,
                  Volumes& volumes, VolumeRecords& records, MachinesClient& client)
      : swarm_(swarm),
        cache_(cache),
        machines_(machines),
        lifecycle_(lifecycle),
        apps_(apps),
        volumes_(volumes),
        records_(records),
        client_(client) {}

  awaitable<void> remove(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external, Progress& progress,
                         Deadline deadline);

 private:
  struct Remains;  ///< what exists of an instance in an app
  awaitable<Remains> findRemains(std::string app, PlaceId place_id, std::vector<ExternalResource> external, Deadline deadline);
  awaitable<void> removeFrom(std::string app, PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                             Progress& progress, Deadline deadline);
  awaitable<bool> removeVolumes(std::string app, const Remains& remains, DeleteVolumes volumes, Deadline deadline);

  const FlySwarm& swarm_;
  MachineCache& cache_;
  MachineFinder& machines_;
  MachineLifecycle& lifecycle_;
  Apps& apps_;
  Volumes& volumes_;
  VolumeRecords& records_;
  MachinesClient& client_;
};

}  // namespace swarm::flyio
