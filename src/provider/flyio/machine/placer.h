// Placer: finds capacity for a volume and a Machine: region by region, host by host. A volume with files is never deleted before another
// has them; a volume that this call created and could not use is deleted at once, and no other volume is.
#pragma once

#include <string>

#include "provider/flyio/machine/machine_cache.h"
#include "provider/flyio/volume/volumes.h"

namespace swarm::flyio {

class Placer {
 public:
  Placer(MachinesClient& client, MachineCache& cache, Volumes& volumes, VolumeRecords& records)
      : client_(client), cache_(cache), volumes_(volumes), records_(records) {}

  /// On the volume with the files, if one exists; on a copy of it when its host has no capacity.
  awaitable<Machine> place(const InstancePlan& plan, AppVolumes present, std::int64_t secrets, Progress& progress, Deadline deadline);
  awaitable<Machine> placeAnywhere(const MachineOrder& order, Progress& progress, Deadline deadline);
  /// On a copy of the order's source. The copy's name is durable before it is created, and that it has the files is durable afterwards.
  awaitable<Machine> placeOnCopy(MachineOrder order, AppVolumes present, Progress& progress, Deadline deadline);
  awaitable<Made<Machine>> create(const MachineOrder& order, std::string region, std::string volume_id, Deadline deadline);

 private:
  awaitable<std::optional<Machine>> findByName(std::string app, std::string name, Deadline deadline);
  awaitable<std::optional<Machine>> adopt(const MachineOrder& order, std::string machine_id, Deadline deadline);
  awaitable<Made<std::string>> createVolume(const MachineOrder& order, std::string region, Progress& progress, Deadline deadline);

  MachinesClient& client_;
  MachineCache& cache_;
  Volumes& volumes_;
  VolumeRecords& records_;
};

}  // namespace swarm::flyio
