#include "store/sqlite/parts/quota_rows.h"

#include <boost/json/serialize.hpp>

#include "base/not_found.h"
#include "model/codec/codec_detail.h"
#include "store/sqlite/row_parts.h"

namespace swarm::sqlite {
namespace {

void requireSubject(Database& database, const QuotaSubject& subject) {
  if (subject.kind == QuotaKind::role) return;
  const bool is_user = subject.kind == QuotaKind::user;
  const char* query = is_user ? "SELECT 1 FROM users WHERE name = ?" : "SELECT 1 FROM user_groups WHERE name = ?";
  if (!database.query(query, {subject.name}).next()) throw notFound(is_user ? "user" : "group", subject.name);
}

}  // namespace

awaitable<Quotas> SqliteQuotas::load() {
  Quotas quotas;
  co_await writer_.run(JobKind::Read, [&](Database& database) {
    quotas.clear();
    for (Rows rows = database.query("SELECT kind, name, body FROM quotas"); rows.next();) {
      const auto kind = enumFromName<QuotaKind>(rows.text(0));
      if (!kind) continue;  // of a newer version
      quotas[{*kind, rows.text(1)}] = fromJson<ResourceLimits>(parseJson(rows.text(2), "A row of the database", 64), UnknownFields::Ignore);
    }
  });
  co_return quotas;
}

awaitable<void> SqliteQuotas::put(QuotaSubject subject, ResourceLimits limits) {
  co_await writer_.run(JobKind::Write, [&](Database& database) {
    requireSubject(database, subject);
    database.execute("INSERT INTO quotas(kind, name, body) VALUES(?, ?, ?) ON CONFLICT(kind, name) DO UPDATE SET body = excluded.body",
                     {enumName(subject.kind), subject.name, boost::json::serialize(toJson(limits))});
  });
}

awaitable<void> SqliteQuotas::remove(QuotaSubject subject) {
  co_await writer_.run(JobKind::Write, [&](Database& database) {
    if (database.execute("DELETE FROM quotas WHERE kind = ? AND name = ?", {enumName(subject.kind), subject.name}) == 0)
      throw Error(ErrorCode::NotFound, format("There is no quota of the {} {}.", enumName(subject.kind), subject.name));
  });
}

}  // namespace swarm::sqlite
