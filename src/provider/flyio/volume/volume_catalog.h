// VolumeCatalog: the swarm's volumes in the terms of the contract: the folders of the one volume that a Machine mounts, each under its
// name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/lock/keyed_lock.h"
#include "provider/flyio/app/apps.h"
#include "provider/flyio/machine/machine_finder.h"
#include "provider/flyio/volume/volumes.h"

namespace swarm::flyio {

/// Where the files of one StorageConfig are and which instance uses them; or a volume that holds no storage.
struct StoredVolume {
  StorageEntry entry;
  std::string app;
  std::string volumeId;  ///< empty: unknown
  PlaceId usedBy;        ///< empty: unused
  SystemTime createdAt{};
  bool isStray = false;          ///< the volume holds no storage; the entry describes the volume itself
  std::optional<Error> trouble;  ///< why no volume may be mounted for it
};

class VolumeCatalog {
 public:
  VolumeCatalog(MachinesClient& client, const FlySwarm& swarm, MachineCache& cache, Organization& organization, MachineFinder& machines,
                Apps& apps, Volumes& volumes, VolumeRecords& records, async::KeyedLock& locks)
      : client_(client),
        swarm_(swarm),
        cache_(cache),
        organization_(organization),
        machines_(machines),
        apps_(apps),
        volumes_(volumes),
        records_(records),
        locks_(locks) {}

  awaitable<std::vector<StoredVolume>> list(Deadline deadline);
  awaitable<void> remove(std::string name, Deadline deadline);
  static std::string lockOf(const std::string& name) { return "volume " + name; }

 private:
  struct Inventory;  ///< all volumes of the swarm, and who uses them
  awaitable<Inventory> readInventory(Deadline deadline);
  awaitable<void> removeStray(const StoredVolume& stray, const std::vector<StoredVolume>& others, Deadline deadline);
  awaitable<void> removeStorage(const StoredVolume& stored, const std::vector<StoredVolume>& others, Deadline deadline);
  awaitable<void> removeApp(std::string app, Deadline deadline);

  MachinesClient& client_;
  const FlySwarm& swarm_;
  MachineCache& cache_;
  Organization& organization_;
  MachineFinder& machines_;
  Apps& apps_;
  Volumes& volumes_;
  VolumeRecords& records_;
  async::KeyedLock& locks_;
};

}  // namespace swarm::flyio
