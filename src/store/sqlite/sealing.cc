#include "store/sqlite/sealing.h"

#include <vector>

#include "base/diagnostics/log.h"
#include "secrets/key_file.h"
#include "store/sqlite/row_parts.h"

namespace swarm::sqlite {
namespace {

/// A column with secrets.
struct Column {
  SecretPurpose purpose;
  const char* read;   ///< id and secret of each row
  const char* write;  ///< secret, id
};

constexpr Column kColumns[] = {
    {SecretPurpose::tokenKey, "SELECT id, seed FROM token_keys", "UPDATE token_keys SET seed = ? WHERE id = ?"},
    {SecretPurpose::agentSecret, "SELECT id, agent_secret FROM instances", "UPDATE instances SET agent_secret = ? WHERE id = ?"},
    {SecretPurpose::agentKey, "SELECT id, agent_key FROM instances", "UPDATE instances SET agent_key = ? WHERE id = ?"},
};

/// Settings of earlier versions that are secrets.
constexpr const char* kSecretSettings[] = {"auth.key"};

void sealRows(Database& database, const SecretBox& box) {
  for (const Column& column : kColumns) {
    const auto rows = collect(database.query(column.read), [](const Rows& row) { return std::pair(row.text(0), Secret(row.text(1))); });
    for (const auto& [id, secret] : rows) database.execute(column.write, {box.seal(column.purpose, id, secret), id});
  }
  for (const char* name : kSecretSettings) {
    const auto values =
        collect(database.query("SELECT value FROM settings WHERE name = ?", {name}), [](const Rows& row) { return Secret(row.text(0)); });
    for (const Secret& value : values)
      database.execute("INSERT INTO secrets(name, sealed) VALUES(?, ?)", {name, box.seal(SecretPurpose::named, name, value)});
    database.execute("DELETE FROM settings WHERE name = ?", {name});
  }
}

/// Rewrites every page, and empties the log: deleted rows and former values are left in neither.
void removePlainText(Database& database) {
  database.script("VACUUM");
  Rows rows = database.query("PRAGMA wal_checkpoint(TRUNCATE)");
  if (rows.next() && rows.integer(0) != 0) throw Error(ErrorCode::Conflict, "Another program uses the database; close it and try again.");
}

Secret requireKey(const std::filesystem::path& database_file, const std::filesystem::path& key_file, const std::string& key_id) {
  if (auto key = readKeyFile(key_file)) {
    const std::string found = SecretBox(*key).keyId();
    if (found == key_id) return std::move(*key);
    throw Error(ErrorCode::Unprocessable,
                format("The secrets in the database {} cannot be opened: they require the key {}, and the key file {} has the key {}. "
                       "Restore the key file that belongs to this database, or name it with [server] secretsKeyFile.",
                       database_file.string(), key_id, key_file.string(), found));
  }
  throw Error(ErrorCode::NotFound,
              format("The secrets in the database {} cannot be opened: the key file {} does not exist (key {}). Restore it from a backup, "
                     "mount its disk, or name its path with [server] secretsKeyFile. Nothing was changed.",
                     database_file.string(), key_file.string(), key_id));
}

}  // namespace

SecretBox openSecretBox(Database& database, const std::filesystem::path& database_file, const std::filesystem::path& key_file) {
  struct State {
    std::string keyId;
    bool clean;
  };
  const auto known =
      collect(database.query("SELECT key_id, clean FROM sealing"), [](const Rows& row) { return State{row.text(0), row.integer(1) != 0}; });
  if (!known.empty() && known.front().clean) return SecretBox(requireKey(database_file, key_file, known.front().keyId));
  std::optional<Secret> key;
  if (!known.empty()) {
    key = requireKey(database_file, key_file, known.front().keyId);
  } else {
    key = readKeyFile(key_file);
    if (!key) {
      key = createKeyFile(key_file);
      log::info("created the key file of the secrets: keep a copy, apart from the database's", {{"file", key_file.string()}});
    }
  }
  SecretBox box(std::move(*key));
  if (known.empty())
    database.transaction([&] {
      sealRows(database, box);
      database.execute("INSERT INTO sealing(key_id, clean) VALUES(?, 0)", {box.keyId()});
    });
  removePlainText(database);
  database.execute("UPDATE sealing SET clean = 1");
  return box;
}

}  // namespace swarm::sqlite
