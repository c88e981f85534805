// The SQL of what is shared: shares of instances, the groups that some of them name, and levels of ports.
#include <set>

#include "base/not_found.h"
#include "model/codec/codec.h"
#include "store/sqlite/row_parts.h"
#include "store/sqlite/rows.h"

namespace swarm::sqlite {
namespace {

bool exists(Rows rows) { return rows.next(); }

bool isEnabledUser(Database& database, const std::string& name) {
  return exists(database.query("SELECT 1 FROM users WHERE name = ? AND disabled = 0", {name}));
}

/// Who manages the group; nothing: it does not exist.
std::optional<std::string> managerOf(Database& database, const std::string& group) {
  Rows rows = database.query("SELECT managed_by FROM user_groups WHERE name = ?", {group});
  return rows.next() ? std::optional(rows.text(0)) : std::nullopt;
}

void requireLocalGroup(Database& database, const std::string& name) {
  const auto manager = managerOf(database, name);
  if (!manager) throw notFound("group", name);
  if (!manager->empty())
    throw Error(ErrorCode::Conflict, format("The members of the group {} come from {}. Change them there.", name, *manager));
}

bool isFull(Database& database, const std::string& group) {
  Rows rows = database.query("SELECT count(*) FROM group_members WHERE group_name = ?", {group});
  return rows.next() && rows.integer(0) >= static_cast<std::int64_t>(kMaxGroupMembers);
}

bool hasMostGroups(Database& database) {
  Rows rows = database.query("SELECT count(*) FROM user_groups");
  return rows.next() && rows.integer(0) >= static_cast<std::int64_t>(kMaxGroups);
}

void insertRow(Database& database, const GroupRecord& group) {
  database.execute("INSERT INTO user_groups(name, managed_by, created_at) VALUES(?, ?, ?)",
                   {group.name, group.managedBy, toNumber(group.createdAt)});
}

}  // namespace

bool putShare(Database& database, const ShareRecord& share) {
  const std::string& instance = share.instanceId.str();
  requireOne(exists(database.query("SELECT 1 FROM instances WHERE id = ?", {instance})) ? 1 : 0, "instance", instance);
  const bool is_known = share.grantee.kind == GranteeKind::user ? isEnabledUser(database, share.grantee.name)
                                                                : managerOf(database, share.grantee.name).has_value();
  if (!is_known) return false;
  database.execute(
      "INSERT INTO shares(instance_id, kind, grantee, access, granted_by, created_at, expires_at) VALUES(?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(instance_id, kind, grantee) DO UPDATE SET access = excluded.access, granted_by = excluded.granted_by, "
      "created_at = excluded.created_at, expires_at = excluded.expires_at",
      {instance, enumName(share.grantee.kind), share.grantee.name, enumName(share.access), share.grantedBy, toNumber(share.createdAt),
       toNumber(share.expiresAt.value_or(SystemTime()))});
  Rows count = database.query("SELECT count(*) FROM shares WHERE instance_id = ?", {instance});
  if (count.next() && count.integer(0) > static_cast<std::int64_t>(kMaxSharesOfInstance))
    throw Error(ErrorCode::Conflict,
                format("The workspace is shared with {} others already, the maximum. End a share first.", kMaxSharesOfInstance));
  return true;
}

void deleteShare(Database& database, const InstanceId& instance, const Grantee& grantee) {
  if (database.execute("DELETE FROM shares WHERE instance_id = ? AND kind = ? AND grantee = ?",
                       {instance.str(), enumName(grantee.kind), grantee.name}) == 0)
    throw Error(ErrorCode::NotFound, format("The workspace is not shared with the {} \"{}\".", enumName(grantee.kind), grantee.name));
}

std::vector<ShareRecord> loadShares(Database& database, const std::optional<InstanceId>& instance) {
  // A kind that a newer version wrote grants nothing.
  return collect(database.query("SELECT instance_id, kind, grantee, access, granted_by, created_at, expires_at FROM shares "
                                "WHERE kind IN ('user', 'group') AND (?1 OR instance_id = ?2) ORDER BY instance_id, kind DESC, grantee",
                                {std::int64_t{!instance}, instance.value_or(InstanceId()).str()}),
                 [](const Rows& rows) {
                   const std::int64_t end = rows.integer(6);
                   // Access that a newer version wrote grants the least.
                   return ShareRecord{InstanceId(rows.text(0)),
                                      {*enumFromName<GranteeKind>(rows.text(1)), rows.text(2)},
                                      enumFromName<ShareAccess>(rows.text(3)).value_or(ShareAccess::viewer),
                                      rows.text(4),
                                      toTime(rows.integer(5)),
                                      end == 0 ? std::nullopt : std::optional(toTime(end))};
                 });
}

std::vector<GroupRecord> loadGroups(Database& database) {
  auto groups = collect(database.query("SELECT name, managed_by, created_at FROM user_groups ORDER BY name"),
                        [](const Rows& rows) { return GroupRecord{rows.text(0), rows.text(1), toTime(rows.integer(2))}; });
  auto group = groups.begin();
  for (Rows rows = database.query("SELECT group_name, user FROM group_members ORDER BY group_name, user"); rows.next();) {
    while (group->name != rows.text(0)) ++group;  // in the same order
    group->members.push_back(rows.text(1));
  }
  return groups;
}

void insertGroup(Database& database, const GroupRecord& group) {
  if (managerOf(database, group.name))
    throw Error(ErrorCode::AlreadyExists, format("There is a group \"{}\".", group.name)).withField("/name", "is taken");
  if (hasMostGroups(database))
    throw Error(ErrorCode::Conflict, format("There are {} groups already, the maximum. Delete a group first.", kMaxGroups));
  insertRow(database, group);
}

void deleteGroup(Database& database, const std::string& name) {
  if (database.execute("DELETE FROM user_groups WHERE name = ?", {name}) == 0) throw notFound("group", name);
  database.execute("DELETE FROM shares WHERE kind = 'group' AND grantee = ?", {name});
  database.execute("DELETE FROM quotas WHERE kind IN ('group', 'member') AND name = ?", {name});
}

void addGroupMember(Database& database, const std::string& group, const std::string& user) {
  requireLocalGroup(database, group);
  if (!isEnabledUser(database, user)) throw Error(ErrorCode::NotFound, format("There is no enabled user \"{}\".", user));
  if (exists(database.query("SELECT 1 FROM group_members WHERE group_name = ? AND user = ?", {group, user}))) return;
  if (isFull(database, group))
    throw Error(ErrorCode::Conflict, format("The group {} has {} members already, the maximum.", group, kMaxGroupMembers));
  database.execute("INSERT INTO group_members(group_name, user) VALUES(?, ?)", {group, user});
}

void removeGroupMember(Database& database, const std::string& group, const std::string& user) {
  requireLocalGroup(database, group);
  if (database.execute("DELETE FROM group_members WHERE group_name = ? AND user = ?", {group, user}) == 0)
    throw Error(ErrorCode::NotFound, format("{} is not a member of the group {}.", user, group));
}

bool setManagedGroups(Database& database, const std::string& user, const std::string& provider, const std::vector<std::string>& groups,
                      SystemTime now) {
  if (!isEnabledUser(database, user)) throw Error(ErrorCode::NotFound, format("There is no enabled user \"{}\".", user));
  std::set<std::string> wanted(groups.begin(), groups.end()), present;
  for (Rows rows = database.query("SELECT group_name FROM group_members JOIN user_groups ON name = group_name "
                                  "WHERE user = ? AND managed_by = ?",
                                  {user, provider});
       rows.next();)
    present.insert(rows.text(0));
  bool changed = false;
  for (const std::string& name : present) {
    if (wanted.contains(name)) continue;
    database.execute("DELETE FROM group_members WHERE group_name = ? AND user = ?", {name, user});
    changed = true;
  }
  for (const std::string& name : wanted) {
    if (present.contains(name)) continue;
    const auto manager = managerOf(database, name);
    if (manager && *manager != provider) continue;
    if (!manager && hasMostGroups(database)) continue;
    if (!manager) insertRow(database, {name, provider, now});
    if (isFull(database, name)) continue;  // a new one is not
    database.execute("INSERT INTO group_members(group_name, user) VALUES(?, ?)", {name, user});
    changed = true;
  }
  return changed;
}

void putPortRule(Database& database, const PortRecord& record, const std::string& owner) {
  const std::string& instance = record.instanceId.str();
  if (!exists(database.query("SELECT 1 FROM instances WHERE id = ? AND owner = ?", {instance, owner})))
    throw Error(ErrorCode::NotFound, "The workspace was deleted or handed over in the meantime.");
  if (record.rule.level == PortLevel::owner) {
    database.execute("DELETE FROM port_rules WHERE instance_id = ? AND port = ?", {instance, std::int64_t{record.port}});
    return;
  }
  database.execute(
      "INSERT INTO port_rules(instance_id, port, level, expires_at) VALUES(?, ?, ?, ?) "
      "ON CONFLICT(instance_id, port) DO UPDATE SET level = excluded.level, expires_at = excluded.expires_at",
      {instance, std::int64_t{record.port}, enumName(record.rule.level), toNumber(record.rule.expiresAt.value_or(SystemTime()))});
}

std::vector<PortRecord> loadPortRules(Database& database) {
  return collect(
      database.query("SELECT instance_id, port, level, expires_at FROM port_rules ORDER BY instance_id, port"), [](const Rows& rows) {
        const std::int64_t end = rows.integer(3);
        // A level that a newer version wrote opens the port to the owner alone.
        return PortRecord{
            InstanceId(rows.text(0)),
            static_cast<std::uint16_t>(rows.integer(1)),
            {enumFromName<PortLevel>(rows.text(2)).value_or(PortLevel::owner), end == 0 ? std::nullopt : std::optional(toTime(end))}};
      });
}

}  // namespace swarm::sqlite
