// The SQL of users, their sessions, access tokens and SSH keys.
#include <boost/json/serialize.hpp>

#include "base/not_found.h"
#include "model/codec/codec.h"
#include "store/sqlite/row_parts.h"
#include "store/sqlite/rows.h"

namespace swarm::sqlite {
namespace {

std::int64_t count(Rows rows) { return rows.next() ? rows.integer(0) : 0; }

UserRecord requireUser(Database& database, const std::string& name) {
  auto found = loadUsers(database, name);
  if (found.empty()) throw notFound("user", name);
  return std::move(found.front());
}

bool isEnabledAdmin(const UserRecord& user) { return user.role == Role::admin && !user.disabled && !user.passwordHash.empty(); }

/// A user who comes back gets none of it back.
void endAccess(Database& database, const std::string& user) {
  database.execute("DELETE FROM shares WHERE kind = 'user' AND grantee = ?", {user});
  database.execute("DELETE FROM group_members WHERE user = ?", {user});
}

/// After a change of `former`, in the same transaction.
void requireAdminLeft(Database& database, const UserRecord& former) {
  if (!isEnabledAdmin(former)) return;
  if (count(database.query("SELECT count(*) FROM users WHERE role = ? AND disabled = 0 AND password_hash <> ''",
                           {enumName(Role::admin)})) == 0)
    throw Error(ErrorCode::Conflict,
                format("{} is the last administrator who can sign in. Make another user an administrator first.", former.name));
}

void writeUser(Database& database, const UserRecord& user) {
  database.execute(
      "UPDATE users SET password_hash = ?, token_generation = ?, disabled = ?, invite_digest = ?, invite_expires = ? "
      "WHERE name = ?",
      {user.passwordHash, user.tokenGeneration, std::int64_t{user.disabled}, user.inviteDigest, toNumber(user.inviteExpires), user.name});
}

std::string_view storedName(SessionKind kind) { return kind == SessionKind::unknown ? "" : enumName(kind); }

void requireNothingOwned(Database& database, const std::string& name) {
  const auto instances = count(database.query("SELECT count(*) FROM instances WHERE owner = ?", {name}));
  const auto places = count(database.query("SELECT count(*) FROM places WHERE json_extract(body, '$.owner') = ?", {name}));
  if (instances + places == 0) return;
  throw Error(ErrorCode::Conflict,
              format("{} has {} and {} (snapshots or kept sources). Name a user to whom they are handed over, or delete them first.", name,
                     instances == 1 ? "1 workspace" : format("{} workspaces", instances),
                     places == 1 ? "1 copy of files" : format("{} copies of files", places)))
      .withField("/handOverTo", "must name a user to whom they are handed over");
}

void handOver(Database& database, const std::string& from, const std::string& to) {
  database.execute("DELETE FROM port_rules WHERE instance_id IN (SELECT id FROM instances WHERE owner = ?)", {from});
  database.execute("UPDATE instances SET owner = ?1, body = json_set(body, '$.owner', ?1) WHERE owner = ?2", {to, from});
  database.execute("UPDATE operations SET owner = ?1, body = json_set(body, '$.owner', ?1) WHERE owner = ?2", {to, from});
  database.execute("UPDATE places SET body = json_set(body, '$.owner', ?1) WHERE json_extract(body, '$.owner') = ?2", {to, from});
  database.execute("UPDATE name_holds SET owner = ?1 WHERE owner = ?2", {to, from});
  database.execute("UPDATE departures SET owner = ?1 WHERE owner = ?2", {to, from});
  database.execute("DELETE FROM shares WHERE kind = 'user' AND grantee = ?1 AND instance_id IN (SELECT id FROM instances WHERE owner = ?1)",
                   {to});
  database.execute("UPDATE former_users SET successor = ?1 WHERE successor = ?2", {to, from});
}

}  // namespace

std::vector<UserRecord> loadUsers(Database& database, const std::optional<std::string>& name) {
  return collect(database.query("SELECT name, password_hash, role, created_at, token_generation, git_name, git_email, disabled, "
                                "invite_digest, invite_expires, kind, EXISTS(SELECT 1 FROM second_factors WHERE user = name) FROM users "
                                "WHERE ?1 OR name = ?2 ORDER BY name",
                                {std::int64_t{!name}, name.value_or("")}),
                 [](const Rows& rows) {
                   return UserRecord{rows.text(0),
                                     rows.text(1),
                                     enumFromName<Role>(rows.text(2)).value_or(Role::viewer),
                                     toTime(rows.integer(3)),
                                     rows.integer(4),
                                     {rows.text(5), rows.text(6)},
                                     rows.integer(7) != 0,
                                     rows.text(8),
                                     toTime(rows.integer(9)),
                                     enumFromName<UserKind>(rows.text(10)).value_or(UserKind::person),
                                     rows.integer(11) != 0};
                 });
}

void putUser(Database& database, const UserRecord& user) {
  database.execute(
      "INSERT INTO users(name, password_hash, role, created_at, token_generation, kind) VALUES(?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(name) DO UPDATE SET "
      "password_hash = excluded.password_hash, role = excluded.role, created_at = excluded.created_at, "
      "token_generation = excluded.token_generation",
      {user.name, user.passwordHash, enumName(user.role), toNumber(user.createdAt), user.tokenGeneration,
       std::string(enumName(user.kind))});
}

void insertUser(Database& database, const UserRecord& user) {
  const bool exists = count(database.query("SELECT count(*) FROM users WHERE name = ?", {user.name})) > 0;
  if (exists || count(database.query("SELECT count(*) FROM former_users WHERE name = ?", {user.name})) > 0)
    throw Error(ErrorCode::AlreadyExists,
                format("The name \"{}\" is {}.", user.name, exists ? "another user's" : "that of a deleted user, and is not used again"))
        .withField("/name", "is taken");
  putUser(database, user);
}

UserRecord changeUser(Database& database, const std::string& name, const UserChange& change) {
  const UserRecord former = requireUser(database, name);
  if (!change.ifInvited.empty() && former.inviteDigest != change.ifInvited) throw Error(ErrorCode::NotFound, "The invitation is not open.");
  UserRecord user = former;
  if (change.role) user.role = *change.role;
  if (change.passwordHash) user.passwordHash = *change.passwordHash;
  if (change.disabled) user.disabled = *change.disabled;
  if (change.inviteDigest) {
    user.inviteDigest = *change.inviteDigest;
    user.inviteExpires = change.inviteExpires;
  }
  if (user.disabled && !user.inviteDigest.empty())
    throw Error(ErrorCode::Conflict, format("The user {} is disabled. Enable them first: swarm users enable {}.", name, name));
  if (change.endsSessions) ++user.tokenGeneration;
  writeUser(database, user);
  if (change.role) database.execute("UPDATE users SET role = ? WHERE name = ?", {enumName(user.role), name});
  requireAdminLeft(database, former);
  if (user.disabled) endAccess(database, name);
  if (!change.onlySession.empty())
    database.execute("UPDATE sessions SET revoked = 1 WHERE user = ? AND id <> ?", {name, change.onlySession});
  if (change.revokesCredentials) {
    deleteAccessTokens(database, "", name);
    deleteSshKeys(database, name);
  }
  return user;
}

void deleteUser(Database& database, const std::string& name, const std::string& successor) {
  const UserRecord former = requireUser(database, name);
  if (successor.empty()) {
    requireNothingOwned(database, name);
  } else {
    if (successor == name) throw Error(ErrorCode::InvalidArgument, "A user cannot be their own successor.");
    requireUser(database, successor);
    handOver(database, name, successor);
  }
  database.execute("DELETE FROM name_holds WHERE owner = ?", {name});
  database.execute("DELETE FROM idempotency_keys WHERE user = ?", {name});
  database.execute("DELETE FROM sessions WHERE user = ?", {name});
  endAccess(database, name);
  deleteAccessTokens(database, "", name);
  deleteSecondFactor(database, name);
  deleteSshKeys(database, name);
  database.execute("DELETE FROM identities WHERE user = ?", {name});
  database.execute("DELETE FROM quotas WHERE kind = 'user' AND name = ?", {name});
  database.execute("DELETE FROM users WHERE name = ?", {name});
  database.execute("INSERT INTO former_users(name, successor) VALUES(?, ?)", {name, successor});
  requireAdminLeft(database, former);
}

std::map<std::string, std::string> loadSuccessors(Database& database) {
  std::map<std::string, std::string> successors;
  Rows rows = database.query("SELECT name, successor FROM former_users");
  while (rows.next()) successors[rows.text(0)] = rows.text(1);
  return successors;
}

void setGitIdentity(Database& database, const std::string& user, const GitIdentity& identity) {
  requireOne(database.execute("UPDATE users SET git_name = ?, git_email = ? WHERE name = ?", {identity.name, identity.email, user}), "user",
             user);
}

std::vector<SessionRecord> loadSessions(Database& database) {
  return collect(database.query("SELECT id, user, expires_at, revoked, kind, created_at, signed_in_at, provider, provider_subject, "
                                "provider_session FROM sessions ORDER BY id"),
                 [](const Rows& rows) {
                   return SessionRecord{rows.text(0),
                                        rows.text(1),
                                        toTime(rows.integer(2)),
                                        rows.integer(3) != 0,
                                        enumFromName<SessionKind>(rows.text(4)).value_or(SessionKind::unknown),
                                        toTime(rows.integer(5)),
                                        toTime(rows.integer(6)),
                                        {rows.text(7), rows.text(8), rows.text(9)}};
                 });
}

void requireAsGiven(Database& database, const UserRecord& user) {
  const auto found = loadUsers(database, user.name);
  const bool is_as_given = !found.empty() && !found.front().disabled && found.front().passwordHash == user.passwordHash &&
                           found.front().tokenGeneration == user.tokenGeneration && found.front().secondFactor == user.secondFactor;
  if (!is_as_given) throw Error(ErrorCode::NotFound, format("The account of {} has changed.", user.name));
}

void startSession(Database& database, const SessionRecord& session, const UserRecord& user, const std::string& maker) {
  requireAsGiven(database, user);
  if (!maker.empty() && count(database.query("SELECT count(*) FROM sessions WHERE id = ? AND revoked = 0", {maker})) == 0)
    throw Error(ErrorCode::NotFound, "The session whose link was opened has ended.");
  putSession(database, session);
}

void putSession(Database& database, const SessionRecord& session) {
  // A revocation is never undone by a later put of the same session.
  database.execute(
      "INSERT INTO sessions(id, user, expires_at, revoked, kind, created_at, signed_in_at, provider, provider_subject, provider_session) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET "
      "expires_at = excluded.expires_at, revoked = max(revoked, excluded.revoked)",
      {session.id, session.user, toNumber(session.expiresAt), std::int64_t{session.revoked}, storedName(session.kind),
       toNumber(session.createdAt), toNumber(session.signedInAt), session.follows.provider, session.follows.subject, session.follows.id});
}

std::vector<AccessTokenRecord> loadAccessTokens(Database& database) {
  return collect(database.query("SELECT body, digest, last_used_at FROM access_tokens ORDER BY id"), [](const Rows& rows) {
    const auto body = parseJson(rows.text(0), "A row of the database", 64);
    AccessTokenRecord record{fromJson<AccessToken>(body, UnknownFields::Ignore), rows.text(1)};
    if (rows.integer(2) != 0) record.token.lastUsedAt = toTime(rows.integer(2));
    return record;
  });
}

void insertAccessToken(Database& database, const AccessTokenRecord& record) {
  const AccessToken& token = record.token;
  if (count(database.query("SELECT count(*) FROM access_tokens WHERE owner = ? AND name = ?", {token.owner, token.name})) > 0)
    throw Error(ErrorCode::AlreadyExists, format("{} has an access token named \"{}\". Choose another name.", token.owner, token.name))
        .withField("/name", "is taken");
  if (!token.parent.empty() && count(database.query("SELECT count(*) FROM access_tokens WHERE id = ?", {token.parent})) == 0)
    throw Error(ErrorCode::NotFound, "The access token that creates this one has been revoked.");
  database.execute("INSERT INTO access_tokens(id, owner, name, digest, expires_at, last_used_at, body) VALUES(?, ?, ?, ?, ?, 0, ?)",
                   {token.id, token.owner, token.name, record.digest, toNumber(token.expiresAt), json::serialize(toJson(token))});
}

void deleteAccessTokens(Database& database, const std::string& id, const std::string& owner) {
  database.execute(
      "WITH RECURSIVE ended(id) AS (SELECT id FROM access_tokens WHERE id = ?1 OR owner = ?2 UNION SELECT access_tokens.id "
      "FROM access_tokens JOIN ended ON json_extract(body, '$.parent') = ended.id) "
      "DELETE FROM access_tokens WHERE id IN (SELECT id FROM ended)",
      {id, owner});
}

void deleteSshKeys(Database& database, const std::string& owner) { database.execute("DELETE FROM ssh_keys WHERE owner = ?", {owner}); }

std::vector<SshKey> loadSshKeys(Database& database) {
  return collect(database.query("SELECT body, last_used_at FROM ssh_keys ORDER BY id"), [](const Rows& rows) {
    auto key = fromJson<SshKey>(parseJson(rows.text(0), "A row of the database", 64), UnknownFields::Ignore);
    if (rows.integer(1) != 0) key.lastUsedAt = toTime(rows.integer(1));
    return key;
  });
}

void insertSshKey(Database& database, const SshKey& key) {
  requireUser(database, key.owner);
  if (count(database.query("SELECT count(*) FROM ssh_keys WHERE owner = ? AND fingerprint = ?", {key.owner, key.fingerprint})) > 0)
    throw Error(ErrorCode::AlreadyExists, "This key is registered already. A user registers a key once.")
        .withField("/key", "is registered already");
  database.execute("INSERT INTO ssh_keys(id, owner, fingerprint, last_used_at, body) VALUES(?, ?, ?, 0, ?)",
                   {key.id, key.owner, key.fingerprint, json::serialize(toJson(key))});
}

}  // namespace swarm::sqlite
