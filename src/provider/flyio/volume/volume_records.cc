// Records as app secrets.
#include "provider/flyio/volume/volume_records.h"

#include "provider/flyio/spec/machine_spec.h"

namespace swarm::flyio {

awaitable<StorageRecord> VolumeRecords::read(std::string app, Deadline deadline) {
  if (auto kept = kept_.find(app); kept != kept_.end()) co_return kept->second;
  auto text = co_await client_.readSecret(app, std::string(kStorageSecret), deadline);
  co_return text ? readRecord(*text) : StorageRecord{};
}

awaitable<void> VolumeRecords::write(std::string app, StorageRecord record, Deadline deadline) {
  updateKept(app, record);
  bool is_empty = record.entries.empty() && record.copyName.empty();
  json::value text = is_empty ? json::value(nullptr) : json::value(writeRecord(record));
  co_await client_.setSecrets(app, {{kStorageSecret, std::move(text)}}, deadline);
}

void VolumeRecords::updateKept(const std::string& app, const StorageRecord& record) {
  if (auto kept = kept_.find(app); kept != kept_.end()) kept->second = record;
}

}  // namespace swarm::flyio
