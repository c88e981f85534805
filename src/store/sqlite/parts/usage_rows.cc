#include "store/sqlite/parts/usage_rows.h"

#include "store/sqlite/row_parts.h"

namespace swarm::sqlite {
namespace {

/// Of a row that exists: its sums grow.
#define SWARM_ADD_TO_ROW                                                                                                          \
  "ON CONFLICT(instance_id, at) DO UPDATE SET samples = samples + excluded.samples, cpu = cpu + excluded.cpu, memory = memory + " \
  "excluded.memory, cpu_max = max(cpu_max, excluded.cpu_max), memory_max = max(memory_max, excluded.memory_max), storage = "      \
  "excluded.storage, received = received + excluded.received, sent = sent + excluded.sent"

std::int64_t numberOf(SystemTime time) { return time.time_since_epoch().count(); }

UsageSums sumsOf(const Rows& rows) {
  return {.at = SystemTime(std::chrono::milliseconds(rows.integer(0))),
          .samples = rows.integer(1),
          .cpu = rows.integer(2),
          .memory = rows.integer(3),
          .cpuMax = rows.integer(4),
          .memoryMax = rows.integer(5),
          .storage = rows.integer(6),
          .received = rows.integer(7),
          .sent = rows.integer(8)};
}

}  // namespace

awaitable<void> SqliteUsage::add(std::vector<UsageRow> rows) {
  co_await writer_.run(JobKind::Write, [&](Database& database) {
    for (const auto& [instance, sums] : rows)
      database.execute(
          "INSERT INTO usage SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 WHERE EXISTS(SELECT 1 FROM instances WHERE id = "
          "?1) " SWARM_ADD_TO_ROW,
          {instance.str(), numberOf(sums.at), sums.samples, sums.cpu, sums.memory, sums.cpuMax, sums.memoryMax, sums.storage, sums.received,
           sums.sent});
  });
}

awaitable<void> SqliteUsage::coarsen(SystemTime from, SystemTime to) {
  co_await writer_.run(JobKind::Write, [&](Database& database) {
    constexpr std::int64_t kSpan = std::chrono::milliseconds(kCoarseUsageRowSpan).count();
    // max(at): SQLite takes the column `storage` from the row with it.
    database.execute(
        "INSERT INTO usage SELECT instance_id, hour, samples, cpu, memory, cpu_max, memory_max, storage, received, sent FROM "
        "(SELECT instance_id, at - at % ?1 AS hour, sum(samples) AS samples, sum(cpu) AS cpu, sum(memory) AS memory, max(cpu_max) AS "
        "cpu_max, max(memory_max) AS memory_max, storage, sum(received) AS received, sum(sent) AS sent, max(at) FROM usage "
        "WHERE at >= ?2 AND at < ?3 AND at % ?1 != 0 GROUP BY instance_id, hour) WHERE true " SWARM_ADD_TO_ROW,
        {kSpan, numberOf(from), numberOf(to)});
    database.execute("DELETE FROM usage WHERE at >= ?2 AND at < ?3 AND at % ?1 != 0", {kSpan, numberOf(from), numberOf(to)});
  });
}

awaitable<std::vector<UsageSums>> SqliteUsage::read(InstanceId instance, SystemTime from, SystemTime to) {
  std::vector<UsageSums> out;
  co_await writer_.run(JobKind::Read, [&](Database& database) {
    out = collect(database.query("SELECT at, samples, cpu, memory, cpu_max, memory_max, storage, received, sent FROM usage "
                                 "WHERE instance_id = ? AND at >= ? AND at < ? ORDER BY at",
                                 {instance.str(), numberOf(from), numberOf(to)}),
                  sumsOf);
  });
  co_return out;
}

awaitable<void> SqliteUsage::prune(SystemTime before) {
  co_await writer_.run(JobKind::Write, [&](Database& database) { database.execute("DELETE FROM usage WHERE at < ?", {numberOf(before)}); });
}

}  // namespace swarm::sqlite
