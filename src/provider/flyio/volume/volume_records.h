// VolumeRecords: the record of each app about its volume, an app secret. Those of apps without a Machine are cached.
#pragma once

#include <map>
#include <string>

#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/volume/storage_record.h"

namespace swarm::flyio {

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

}  // namespace swarm::flyio
