// Usage over time in SQLite.
#pragma once

#include "sqlite/writer.h"
#include "store/usage_store.h"

namespace swarm::sqlite {

/// A part of the store, on its writer thread.
class SqliteUsage final : public UsageStore {
 public:
  explicit SqliteUsage(Writer& writer) : writer_(writer) {}

  awaitable<void> add(std::vector<UsageRow> rows) override;
  awaitable<std::vector<UsageSums>> read(InstanceId instance, SystemTime from, SystemTime to) override;
  awaitable<void> coarsen(SystemTime from, SystemTime to) override;
  awaitable<void> prune(SystemTime before) override;

 private:
  Writer& writer_;
};

}  // namespace swarm::sqlite
