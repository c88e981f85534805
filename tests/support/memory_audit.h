// MemoryAudit: an AuditStore in memory, for tests of what is recorded. Its order and durability are tested with the real store.
#pragma once

#include <mutex>

#include "audit/audit_store.h"
#include "base/error.h"

namespace swarm::test {

class MemoryAudit final : public AuditStore {
 public:
  std::optional<Error> failure;  ///< of append(): "the disk is full"

  awaitable<AuditChain> append(AuditRecord record) override {
    if (failure) throw *failure;
    const std::lock_guard lock(mutex_);
    record.sequence = static_cast<std::int64_t>(records_.size()) + 1;
    records_.push_back(std::move(record));
    co_return chainOf();
  }
  awaitable<std::vector<AuditRow>> read(AuditFilter, AuditRange, std::size_t) override { co_return std::vector<AuditRow>(); }
  awaitable<AuditChain> chain() override {
    const std::lock_guard lock(mutex_);
    co_return chainOf();
  }
  awaitable<std::vector<AuditRecord>> openRecords() override { co_return std::vector<AuditRecord>(); }
  awaitable<bool> prune(AuditLimits, AuditRecord) override { co_return false; }

  std::vector<AuditRecord> records() const {
    const std::lock_guard lock(mutex_);
    return records_;
  }
  /// The records of this action, without intents.
  std::vector<AuditRecord> of(std::string_view action) const {
    std::vector<AuditRecord> found;
    for (AuditRecord& record : records())
      if (record.action == action && record.result != AuditResult::begun) found.push_back(std::move(record));
    return found;
  }

 private:
  AuditChain chainOf() const { return {{0, noAuditHash()}, {static_cast<std::int64_t>(records_.size()), noAuditHash()}, 0}; }

  mutable std::mutex mutex_;
  std::vector<AuditRecord> records_;
};

}  // namespace swarm::test
