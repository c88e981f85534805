// The steps themselves. Never change a released one: add the next.
#include "store/sqlite/migrations.h"

#include <iterator>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::sqlite {
namespace {

/// "swrm", so that a database of another program is not mistaken for ours.
constexpr std::int64_t kApplicationId = 0x7377726d;

/// Columns are the fields that queries use; `body` is the public JSON of the whole record. Times are milliseconds since the epoch.
constexpr const char* kSteps[] = {
    // 1: the first schema
    R"(
CREATE TABLE instances(
  id TEXT PRIMARY KEY, name TEXT NOT NULL CHECK(name <> ''), owner TEXT NOT NULL, status TEXT NOT NULL,
  agent_secret TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX instances_live_name ON instances(name) WHERE status <> 'deleted';

CREATE TABLE external_resources(
  position INTEGER PRIMARY KEY, instance_id TEXT NOT NULL REFERENCES instances(id) ON DELETE CASCADE, kind TEXT NOT NULL,
  id TEXT NOT NULL, UNIQUE(instance_id, kind, id)) STRICT;

CREATE TABLE operations(
  id TEXT PRIMARY KEY, instance_id TEXT NOT NULL, owner TEXT NOT NULL, status TEXT NOT NULL, ended_at INTEGER NOT NULL,
  parameters TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX operations_by_instance ON operations(instance_id, id);
CREATE INDEX operations_by_owner ON operations(owner, id);
CREATE INDEX operations_unfinished ON operations(id) WHERE status IN ('pending', 'running');

CREATE TABLE idempotency_keys(
  user TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, instance_id TEXT NOT NULL, operation_id TEXT NOT NULL,
  created_at INTEGER NOT NULL, PRIMARY KEY(user, key)) STRICT, WITHOUT ROWID;

CREATE TABLE users(
  name TEXT PRIMARY KEY, password_hash TEXT NOT NULL, role TEXT NOT NULL, created_at INTEGER NOT NULL,
  token_generation INTEGER NOT NULL) STRICT;

CREATE TABLE sessions(
  id TEXT PRIMARY KEY, user TEXT NOT NULL, expires_at INTEGER NOT NULL, revoked INTEGER NOT NULL) STRICT;
CREATE INDEX sessions_by_expiry ON sessions(expires_at);

CREATE TABLE settings(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
)",
    // 2: places other than the current one, for moves
    R"(
ALTER TABLE instances ADD COLUMN place_id TEXT NOT NULL DEFAULT '';
CREATE TABLE places(
  id TEXT PRIMARY KEY, instance_id TEXT NOT NULL, role TEXT NOT NULL, external TEXT NOT NULL, body TEXT NOT NULL) STRICT;
)",
    // 3: departures with their volume policy; those of earlier deletes are in the journal (without their provider)
    R"(
CREATE TABLE departures(
  instance_id TEXT PRIMARY KEY, owner TEXT NOT NULL, provider TEXT NOT NULL, volumes INTEGER NOT NULL, since INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE INDEX departures_by_time ON departures(since);
INSERT INTO departures
  SELECT instance_id, owner, 'docker', max(coalesce(json_extract(parameters, '$.volumes'), 0)), max(ended_at) FROM operations
  WHERE json_extract(body, '$.kind') = 'delete' AND status = 'succeeded' AND instance_id NOT IN (SELECT id FROM instances)
  GROUP BY instance_id;
)",
    // 4: instance tokens with a public key; the git identity of a user
    R"(
ALTER TABLE instances ADD COLUMN agent_key TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN git_name TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN git_email TEXT NOT NULL DEFAULT '';
)",
    // 5: names of deleted instances; kind and creation time of sessions
    R"(
CREATE TABLE name_holds(name TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) STRICT;
ALTER TABLE sessions ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
)",
    // 6: keys that sign API tokens
    R"(
CREATE TABLE token_keys(
  id TEXT PRIMARY KEY, seed TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;
)",
    // 7: disabled and invited users; names of deleted ones; sign-ins of sessions that links started
    R"(
ALTER TABLE users ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN invite_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN invite_expires INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN signed_in_at INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET signed_in_at = created_at;
CREATE TABLE former_users(name TEXT PRIMARY KEY, successor TEXT NOT NULL) STRICT, WITHOUT ROWID;
)",
    // 8: shares of instances; an expiry of 0 is none
    R"(
CREATE TABLE shares(
  instance_id TEXT NOT NULL REFERENCES instances(id) ON DELETE CASCADE, grantee TEXT NOT NULL, access TEXT NOT NULL,
  granted_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY(instance_id, grantee))
  STRICT, WITHOUT ROWID;
CREATE INDEX shares_by_grantee ON shares(grantee);
)",
    // 9: access tokens; service accounts
    R"(
CREATE TABLE access_tokens(
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, expires_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE(owner, name)) STRICT;
ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'person';
)",
    // 10: the audit log; `body` is the hashed text, the other columns repeat parts of it for filters
    R"(
CREATE TABLE audit(
  seq INTEGER PRIMARY KEY, time TEXT NOT NULL, user TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL,
  object_id TEXT NOT NULL, result TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE audit_open(seq INTEGER PRIMARY KEY) STRICT;
CREATE TABLE audit_chain(
  id INTEGER PRIMARY KEY CHECK(id = 1), anchor INTEGER NOT NULL, anchor_hash TEXT NOT NULL, head INTEGER NOT NULL,
  head_hash TEXT NOT NULL, bytes INTEGER NOT NULL) STRICT;
INSERT INTO audit_chain VALUES(1, 0, printf('%064d', 0), 0, printf('%064d', 0), 0);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit WHEN OLD.seq > (SELECT anchor FROM audit_chain)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
)",
    // 11: groups, and shares with them; a group that administrators manage has an empty managed_by
    R"(
CREATE TABLE user_groups(name TEXT PRIMARY KEY, managed_by TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE group_members(
  group_name TEXT NOT NULL REFERENCES user_groups(name) ON DELETE CASCADE, user TEXT NOT NULL, PRIMARY KEY(group_name, user))
  STRICT, WITHOUT ROWID;
CREATE INDEX group_members_by_user ON group_members(user);
CREATE TABLE typed_shares(
  instance_id TEXT NOT NULL REFERENCES instances(id) ON DELETE CASCADE, kind TEXT NOT NULL, grantee TEXT NOT NULL, access TEXT NOT NULL,
  granted_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY(instance_id, kind, grantee))
  STRICT, WITHOUT ROWID;
INSERT INTO typed_shares
  SELECT instance_id, 'user', grantee, access, granted_by, created_at, expires_at FROM shares;
DROP TABLE shares;
ALTER TABLE typed_shares RENAME TO shares;
CREATE INDEX shares_by_grantee ON shares(kind, grantee);
)",
    // 12: levels of ports; an expiry of 0 is none
    R"(
CREATE TABLE port_rules(
  instance_id TEXT NOT NULL REFERENCES instances(id) ON DELETE CASCADE, port INTEGER NOT NULL, level TEXT NOT NULL,
  expires_at INTEGER NOT NULL, PRIMARY KEY(instance_id, port)) STRICT, WITHOUT ROWID;
)",
    // 13: sealed secrets (sealing.cc). `sealing` has one row, once those of earlier versions are sealed
    R"(
CREATE TABLE secrets(name TEXT PRIMARY KEY, sealed TEXT NOT NULL) STRICT;
CREATE TABLE sealing(key_id TEXT NOT NULL, clean INTEGER NOT NULL) STRICT;
)",
    // 14: second factors
    R"(
CREATE TABLE second_factors(
  user TEXT PRIMARY KEY, seed TEXT NOT NULL, since INTEGER NOT NULL, last_step INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE recovery_codes(user TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY(user, digest)) STRICT, WITHOUT ROWID;
)",
    // 15: owners of volumes that outlive a hand-over; one that preceded this step is known as long as the instance or its departure is
    R"(
CREATE TABLE volume_owners(
  place_id TEXT NOT NULL, volume TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY(place_id, volume)) STRICT, WITHOUT ROWID;
INSERT INTO volume_owners SELECT iif(place_id = '', id, place_id), '', owner FROM instances;
INSERT OR IGNORE INTO volume_owners SELECT id, '', json_extract(body, '$.owner') FROM places;
INSERT OR IGNORE INTO volume_owners SELECT instance_id, '', owner FROM departures WHERE volumes = 0;
)",
    // 16: public keys of users for SSH
    R"(
CREATE TABLE ssh_keys(
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, fingerprint TEXT NOT NULL UNIQUE, last_used_at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
)",
    // 17: people at identity providers; the sessions there that sessions follow
    R"(
CREATE TABLE identities(
  issuer TEXT NOT NULL, subject TEXT NOT NULL, user TEXT NOT NULL, email TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY(issuer, subject)) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_user ON identities(user);
CREATE INDEX identities_by_email ON identities(email);
ALTER TABLE sessions ADD COLUMN provider TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN provider_subject TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN provider_session TEXT NOT NULL DEFAULT '';
)",
    // 18: a public key for SSH may be that of several users
    R"(
ALTER TABLE ssh_keys RENAME TO former_ssh_keys;
CREATE TABLE ssh_keys(
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, fingerprint TEXT NOT NULL, last_used_at INTEGER NOT NULL, body TEXT NOT NULL,
  UNIQUE(owner, fingerprint)) STRICT;
INSERT INTO ssh_keys SELECT id, owner, fingerprint, last_used_at, body FROM former_ssh_keys;
DROP TABLE former_ssh_keys;
)",
    // 19: what instances used, a row for each quarter of an hour or, later, each hour
    R"(
CREATE TABLE usage(
  instance_id TEXT NOT NULL REFERENCES instances(id) ON DELETE CASCADE, at INTEGER NOT NULL, samples INTEGER NOT NULL,
  cpu INTEGER NOT NULL, memory INTEGER NOT NULL, cpu_max INTEGER NOT NULL, memory_max INTEGER NOT NULL, storage INTEGER NOT NULL,
  received INTEGER NOT NULL, sent INTEGER NOT NULL, PRIMARY KEY(instance_id, at)) STRICT, WITHOUT ROWID;
CREATE INDEX usage_by_time ON usage(at);
)",
    // 20: quotas
    R"(
CREATE TABLE quotas(kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(kind, name)) STRICT, WITHOUT ROWID;
)",
};

std::int64_t number(Database& database, const char* pragma) {
  Rows rows = database.query(pragma);
  return rows.next() ? rows.integer(0) : 0;
}

void checkIntact(Database& database, const std::filesystem::path& file) {
  Rows rows = database.query("PRAGMA quick_check(1)");
  if (rows.next() && rows.text(0) == "ok") return;
  throw Error(ErrorCode::Unprocessable,
              format("The database {} is damaged. Restore it from a backup, or move it away to start with an empty one.", file.string()));
}

}  // namespace

int latestSchema() { return static_cast<int>(std::size(kSteps)); }

void migrate(Database& database, const std::filesystem::path& file) {
  std::int64_t version = number(database, "PRAGMA user_version");
  std::int64_t application = number(database, "PRAGMA application_id");
  bool empty = number(database, "SELECT count(*) FROM sqlite_schema") == 0;
  if (!empty && application != kApplicationId)
    throw Error(ErrorCode::Unprocessable, format("The database {} was created by another program.", file.string()));
  if (version > latestSchema())
    throw Error(ErrorCode::Unprocessable,
                format("The database {} was written by a newer version of swarm (schema {}, this one knows {}): use "
                       "that version, or restore a backup from before the upgrade.",
                       file.string(), version, latestSchema()));
  checkIntact(database, file);
  for (std::int64_t next = version; next < latestSchema(); ++next) {
    database.transaction([&] {
      database.script(kSteps[next]);
      database.script(format("PRAGMA application_id={}; PRAGMA user_version={}", kApplicationId, next + 1));
    });
  }
}

}  // namespace swarm::sqlite
