// The SQL of shares.
#include "model/codec/codec.h"
#include "store/sqlite/row_parts.h"
#include "store/sqlite/rows.h"

namespace swarm::sqlite {

bool putShare(Database& database, const ShareRecord& share) {
  const std::string& instance = share.instanceId.str();
  {
    Rows rows = database.query("SELECT 1 FROM instances WHERE id = ?", {instance});
    requireOne(rows.next() ? 1 : 0, "instance", instance);
  }
  if (!database.query("SELECT 1 FROM users WHERE name = ? AND disabled = 0", {share.grantee}).next()) return false;
  database.execute(
      "INSERT INTO shares(instance_id, grantee, access, granted_by, created_at, expires_at) VALUES(?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(instance_id, grantee) DO UPDATE SET access = excluded.access, granted_by = excluded.granted_by, "
      "created_at = excluded.created_at, expires_at = excluded.expires_at",
      {instance, share.grantee, enumName(share.access), share.grantedBy, toNumber(share.createdAt),
       toNumber(share.expiresAt.value_or(SystemTime()))});
  Rows count = database.query("SELECT count(*) FROM shares WHERE instance_id = ?", {instance});
  if (count.next() && count.integer(0) > static_cast<std::int64_t>(kMaxSharesOfInstance))
    throw Error(ErrorCode::Conflict,
                format("The workspace is shared with {} others already, the maximum. End a share first.", kMaxSharesOfInstance));
  return true;
}

void deleteShare(Database& database, const InstanceId& instance, const std::string& grantee) {
  if (database.execute("DELETE FROM shares WHERE instance_id = ? AND grantee = ?", {instance.str(), grantee}) == 0)
    throw Error(ErrorCode::NotFound, format("The workspace is not shared with \"{}\".", grantee));
}

std::vector<ShareRecord> loadShares(Database& database, const std::optional<InstanceId>& instance) {
  return collect(database.query("SELECT instance_id, grantee, access, granted_by, created_at, expires_at FROM shares "
                                "WHERE ?1 OR instance_id = ?2 ORDER BY instance_id, grantee",
                                {std::int64_t{!instance}, instance.value_or(InstanceId()).str()}),
                 [](const Rows& rows) {
                   const std::int64_t end = rows.integer(5);
                   // Access that a newer version wrote grants the least.
                   return ShareRecord{InstanceId(rows.text(0)),
                                      rows.text(1),
                                      enumFromName<ShareAccess>(rows.text(2)).value_or(ShareAccess::viewer),
                                      rows.text(3),
                                      toTime(rows.integer(4)),
                                      end == 0 ? std::nullopt : std::optional(toTime(end))};
                 });
}

}  // namespace swarm::sqlite
