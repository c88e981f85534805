// Volumes: creates, finds, extends and deletes the volumes of one app. Volume names are not unique on Fly.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/spec/fly_names.h"
#include "provider/flyio/spec/machine_order.h"
#include "provider/flyio/volume/storage_record.h"

namespace swarm::flyio {

/// The record of each app about its volume, an app secret. Those of apps without a Machine are cached.
class VolumeRecords {
 public:
  explicit VolumeRecords(MachinesClient& client) : client_(client) {}

  awaitable<StorageRecord> read(std::string app, Deadline deadline);
  awaitable<void> write(std::string app, StorageRecord record, Deadline deadline);  ///< without entries and copy: removes it

  void keep(const std::string& app, StorageRecord record) { kept_[app] = std::move(record); }  ///< the app keeps a volume without a Machine
  void updateKept(const std::string& app, const StorageRecord& record);                        ///< where keep() was called
  void forget(const std::string& app) { kept_.erase(app); }
  const std::map<std::string, StorageRecord>& kept() const { return kept_; }  ///< by app

 private:
  MachinesClient& client_;
  std::map<std::string, StorageRecord> kept_;
};

/// The volumes of an app, sorted by role, and the app's record of them.
struct AppVolumes {
  std::vector<Volume> all;  ///< readers' too
  StorageRecord record;
  VolumeChoice choice;
  /// Generation of the next copy; no volume has its name.
  int nextGeneration() const {
    int next = 1;
    for (const Volume& volume : all) next = std::max(next, generationOf(volume) + 1);
    return next;
  }
};

class Volumes {
 public:
  Volumes(MachinesClient& client, VolumeRecords& records, std::int64_t retention_days)
      : client_(client), records_(records), retention_days_(retention_days) {}

  /// An empty list counts only when the app's own count agrees.
  awaitable<std::vector<Volume>> listIn(std::string app, Deadline deadline);
  /// `mounted`: by the instance's Machine; empty without one. Looks up by id what `known` names and the list lacks.
  awaitable<AppVolumes> sortedIn(std::string app, std::string mounted, std::vector<ExternalResource> known, Deadline deadline);
  awaitable<Made<Volume>> create(const MachineOrder& order, std::string region, Deadline deadline);
  awaitable<void> extend(Volume volume, std::int64_t size_gb, Deadline deadline);             ///< smaller: does nothing
  awaitable<void> remove(std::string app, std::string volume_id, Deadline deadline);          ///< waits while it is attached; gone: fine
  awaitable<bool> waitUntilWhole(std::string app, std::string volume_id, Deadline deadline);  ///< false: it is gone, or time is short
  /// Adds to `volumes` those of `recorded` that the list of the app lacks, looked up by their ids.
  awaitable<void> addRecorded(std::vector<Volume>& volumes, std::string app, const std::vector<ExternalResource>& recorded,
                              Deadline deadline);

 private:
  MachinesClient& client_;
  VolumeRecords& records_;
  std::int64_t retention_days_;  ///< of the daily snapshots
};

/// Fly does not have, or no longer has, the snapshot.
Error noSnapshot(const std::string& snapshot_id);

}  // namespace swarm::flyio
