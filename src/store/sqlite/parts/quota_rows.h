// Quotas in SQLite.
#pragma once

#include "sqlite/writer.h"
#include "store/quota_store.h"

namespace swarm::sqlite {

/// A part of the store, on its writer thread.
class SqliteQuotas final : public QuotaStore {
 public:
  explicit SqliteQuotas(Writer& writer) : writer_(writer) {}

  awaitable<Quotas> load() override;
  awaitable<void> put(QuotaSubject subject, ResourceLimits limits) override;
  awaitable<void> remove(QuotaSubject subject) override;

 private:
  Writer& writer_;
};

}  // namespace swarm::sqlite
