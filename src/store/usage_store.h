// UsageStore: what instances used, for longer than the server keeps it in memory. The store implements it
// (store/sqlite/parts/usage_rows.h).
#pragma once

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <vector>

#include "base/clock.h"
#include "model/types/ids.h"

namespace swarm {

using boost::asio::awaitable;

/// Samples of one instance that lie in the same span of time, added up.
struct UsageSums {
  SystemTime at{};  ///< where the span begins
  std::int64_t samples = 0;
  std::int64_t cpu = 0;     ///< millicores; sum
  std::int64_t memory = 0;  ///< KiB; sum
  std::int64_t cpuMax = 0;
  std::int64_t memoryMax = 0;
  std::int64_t storage = 0;   ///< KiB; the last one
  std::int64_t received = 0;  ///< bytes per second; sum
  std::int64_t sent = 0;

  /// `later`: of the same span or a later part of it.
  void add(const UsageSums& later);
  void remove(const UsageSums& part);  ///< of what was added; the maxima stay
};
struct UsageRow {
  InstanceId instanceId{};
  UsageSums sums{};
};
/// The span of a row, and of one that coarsen() made.
inline constexpr std::chrono::minutes kUsageRowSpan{15};
inline constexpr std::chrono::hours kCoarseUsageRowSpan{1};

/// Thread-safe, and as durable as Store.
class UsageStore {
 public:
  virtual ~UsageStore() = default;
  /// Adds the sums to those of the same instance and time, in one transaction. Without effect for an absent instance: its rows are deleted
  /// with it.
  virtual awaitable<void> add(std::vector<UsageRow> rows) = 0;
  /// From the oldest; `from` <= at < `to`.
  virtual awaitable<std::vector<UsageSums>> read(InstanceId instance, SystemTime from, SystemTime to) = 0;
  /// Adds the rows of each hour up in one, in one transaction; `from` and `to` are whole hours.
  virtual awaitable<void> coarsen(SystemTime from, SystemTime to) = 0;
  virtual awaitable<void> prune(SystemTime before) = 0;  ///< removes older rows
};

inline void UsageSums::add(const UsageSums& later) {
  samples += later.samples;
  cpu += later.cpu;
  memory += later.memory;
  cpuMax = std::max(cpuMax, later.cpuMax);
  memoryMax = std::max(memoryMax, later.memoryMax);
  storage = later.storage;
  received += later.received;
  sent += later.sent;
}

inline void UsageSums::remove(const UsageSums& part) {
  samples -= part.samples;
  cpu -= part.cpu;
  memory -= part.memory;
  received -= part.received;
  sent -= part.sent;
}

}  // namespace swarm
