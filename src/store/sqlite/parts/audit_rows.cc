#include "store/sqlite/parts/audit_rows.h"

#include <boost/json/serialize.hpp>

#include "model/codec/codec.h"

namespace swarm::sqlite {
namespace {

constexpr int kPrunedAtOnce = 2000;

// The parameters of both: range, filter, limit. The last column: whether the columns repeat what the body says.
#define SWARM_AUDIT_ROWS                                                                                                         \
  "SELECT seq, previous, hash, body, time = json_extract(body, '$.time') AND user = json_extract(body, '$.user') AND action = "  \
  "json_extract(body, '$.action') AND object = json_extract(body, '$.object') AND object_id = json_extract(body, '$.objectId') " \
  "AND result = json_extract(body, '$.result') FROM audit WHERE seq BETWEEN ?1 AND ?2 AND (?3 = '' OR user = ?3) AND (?4 = '' "  \
  "OR action = ?4) AND (?5 = '' OR object = ?5 OR object_id = ?5) AND (?6 = '' OR result = ?6) AND (?7 = '' OR time >= ?7) AND " \
  "(?8 = '' OR time < ?8) AND (?9 = 1 OR result <> 'begun') ORDER BY seq "
constexpr const char* kOldestFirst = SWARM_AUDIT_ROWS "ASC LIMIT ?10";
constexpr const char* kNewestFirst = SWARM_AUDIT_ROWS "DESC LIMIT ?10";
#undef SWARM_AUDIT_ROWS

std::string textOf(SystemTime time) { return time == SystemTime{} ? std::string() : formatTime(time); }

AuditChain readChain(Database& database) {
  Rows rows = database.query("SELECT anchor, anchor_hash, head, head_hash, bytes FROM audit_chain");
  if (!rows.next()) throw Error(ErrorCode::Unprocessable, "The audit log in the store is damaged.");
  return {{rows.integer(0), rows.text(1)}, {rows.integer(2), rows.text(3)}, rows.integer(4)};
}

void writeChain(Database& database, const AuditChain& chain) {
  database.execute("UPDATE audit_chain SET anchor = ?, anchor_hash = ?, head = ?, head_hash = ?, bytes = ?",
                   {chain.anchor.sequence, chain.anchor.hash, chain.head.sequence, chain.head.hash, chain.bytes});
}

/// Changes `chain`, which the caller writes.
void insert(Database& database, AuditChain& chain, AuditRecord record) {
  record.sequence = chain.head.sequence + 1;
  const std::string body = boost::json::serialize(toJson(record));
  const std::string hash = auditHash(chain.head.hash, body);
  database.execute(
      "INSERT INTO audit(seq, time, user, action, object, object_id, result, previous, hash, body) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {record.sequence, textOf(record.time), record.user, record.action, record.object, record.objectId, enumName(record.result),
       chain.head.hash, hash, body});
  if (record.result == AuditResult::begun) database.execute("INSERT INTO audit_open(seq) VALUES(?)", {record.sequence});
  if (record.completes > 0) database.execute("DELETE FROM audit_open WHERE seq = ?", {record.completes});
  chain.head = {record.sequence, hash};
  chain.bytes += static_cast<std::int64_t>(body.size());
}

/// The last record to remove; that of the anchor: none. Subtracts the bytes of what is removed.
AuditHead endOfPruned(Database& database, const AuditLimits& limits, std::int64_t& bytes) {
  AuditHead end{};
  const std::string before = textOf(limits.before);
  Rows rows = database.query("SELECT seq, hash, time, length(CAST(body AS BLOB)) FROM audit ORDER BY seq LIMIT ?", {kPrunedAtOnce});
  while (rows.next() && (rows.text(2) < before || bytes > limits.maxBytes)) {
    end = {rows.integer(0), rows.text(1)};
    bytes -= rows.integer(3);
  }
  return end;
}

}  // namespace

awaitable<AuditChain> SqliteAudit::append(AuditRecord record) {
  AuditChain chain;
  co_await writer_.run(JobKind::Write, [&](Database& database) {
    chain = readChain(database);
    insert(database, chain, record);
    writeChain(database, chain);
  });
  co_return chain;
}

awaitable<std::vector<AuditRow>> SqliteAudit::read(AuditFilter filter, AuditRange range, std::size_t limit) {
  std::vector<AuditRow> out;
  co_await writer_.run(JobKind::Read, [&](Database& database) {
    const std::string since = textOf(filter.since), until = textOf(filter.until);
    const std::string_view result = filter.result ? enumName(*filter.result) : "";
    const bool with_begun = filter.withBegun || filter.result == AuditResult::begun;
    Rows rows = database.query(range.order == AuditRange::Order::OldestFirst ? kOldestFirst : kNewestFirst,
                               {range.first, range.last, filter.user, filter.action, filter.object, result, since, until,
                                std::int64_t{with_begun}, static_cast<std::int64_t>(limit)});
    out.clear();
    while (rows.next()) out.push_back({rows.integer(0), rows.text(1), rows.text(2), rows.text(3), rows.integer(4) == 1});
  });
  co_return out;
}

awaitable<AuditChain> SqliteAudit::chain() {
  AuditChain chain;
  co_await writer_.run(JobKind::Read, [&](Database& database) { chain = readChain(database); });
  co_return chain;
}

awaitable<std::vector<AuditRecord>> SqliteAudit::openRecords() {
  std::vector<AuditRecord> out;
  co_await writer_.run(JobKind::Read, [&](Database& database) {
    out.clear();
    Rows rows = database.query("SELECT body FROM audit_open JOIN audit USING(seq) ORDER BY seq");
    while (rows.next()) out.push_back(fromJson<AuditRecord>(parseJson(rows.text(0), "A record of the audit log"), UnknownFields::Ignore));
  });
  co_return out;
}

awaitable<bool> SqliteAudit::prune(AuditLimits limits, AuditRecord note) {
  std::int64_t removed = 0;
  co_await writer_.run(JobKind::Write, [&](Database& database) {
    AuditChain chain = readChain(database);
    const AuditHead end = endOfPruned(database, limits, chain.bytes);
    removed = 0;
    // The newest record stays: the chain goes on from it.
    if (end.sequence == 0 || end.sequence >= chain.head.sequence) return;
    chain.anchor = end;
    AuditRecord stored = note;
    stored.after = {{"through", end.sequence}, {"hash", end.hash}};
    insert(database, chain, std::move(stored));
    writeChain(database, chain);
    database.execute("DELETE FROM audit_open WHERE seq <= ?", {end.sequence});
    removed = database.execute("DELETE FROM audit WHERE seq <= ?", {end.sequence});
  });
  co_return removed == kPrunedAtOnce;
}

}  // namespace swarm::sqlite
