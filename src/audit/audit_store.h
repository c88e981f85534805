// AuditStore: the durable part of the audit log. The store implements it (store/sqlite/parts/audit_rows.h).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <vector>

#include "audit/chain.h"
#include "model/types/audit/audit_record.h"

namespace swarm {

using boost::asio::awaitable;

/// An empty member leaves nothing out.
struct AuditFilter {
  std::string user{};
  std::string action{};
  std::string object{};  ///< name or id
  std::optional<AuditResult> result{};
  SystemTime since{};
  SystemTime until{};
  bool withBegun = true;  ///< also without `result`, records of changes that have begun
};

/// A part of the log, by sequence; both ends belong to it.
struct AuditRange {
  enum class Order { OldestFirst, NewestFirst };
  std::int64_t first = 0;
  std::int64_t last = 0;
  Order order = Order::OldestFirst;
};

struct AuditChain {
  AuditHead anchor;        ///< the last record that was removed with its predecessors; sequence 0: none
  AuditHead head;          ///< the newest record
  std::int64_t bytes = 0;  ///< of the records
};

/// Which records are removed, from the oldest on.
struct AuditLimits {
  SystemTime before{};        ///< older ones
  std::int64_t maxBytes = 0;  ///< until the others have at most this size
};

/// Thread-safe, and as durable as Store.
class AuditStore {
 public:
  virtual ~AuditStore() = default;
  /// Appends `record` with the next sequence. A record that completes another closes that one. Returns the new chain.
  virtual awaitable<AuditChain> append(AuditRecord record) = 0;
  /// At most `limit` records of `range` that `filter` admits, in its order.
  virtual awaitable<std::vector<AuditRow>> read(AuditFilter filter, AuditRange range, std::size_t limit) = 0;
  virtual awaitable<AuditChain> chain() = 0;
  virtual awaitable<std::vector<AuditRecord>> openRecords() = 0;  ///< begun, and not completed
  /// Removes records beyond the limits, and appends `note` with the new anchor in the same transaction; without such records, nothing.
  /// Returns whether there may be more.
  virtual awaitable<bool> prune(AuditLimits limits, AuditRecord note) = 0;
};

}  // namespace swarm
