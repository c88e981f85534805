// The audit log in SQLite: rows that are only appended, and removed from the oldest on.
#pragma once

#include "audit/audit_store.h"
#include "sqlite/writer.h"

namespace swarm::sqlite {

/// A part of the store, on its writer thread.
class SqliteAudit final : public AuditStore {
 public:
  explicit SqliteAudit(Writer& writer) : writer_(writer) {}

  awaitable<AuditChain> append(AuditRecord record) override;
  awaitable<std::vector<AuditRow>> read(AuditFilter filter, AuditRange range, std::size_t limit) override;
  awaitable<AuditChain> chain() override;
  awaitable<std::vector<AuditRecord>> openRecords() override;
  awaitable<bool> prune(AuditLimits limits, AuditRecord note) override;

 private:
  Writer& writer_;
};

}  // namespace swarm::sqlite
