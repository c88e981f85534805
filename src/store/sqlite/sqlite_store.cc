// Store's calls as jobs of the writer thread.
#include "store/sqlite/sqlite_store.h"

#include "sqlite/data_dir.h"
#include "sqlite/writer.h"
#include "store/sqlite/migrations.h"
#include "store/sqlite/parts/audit_rows.h"
#include "store/sqlite/parts/identity_rows.h"
#include "store/sqlite/parts/quota_rows.h"
#include "store/sqlite/parts/usage_rows.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sealing.h"

namespace swarm {
namespace {

using sqlite::Database;
using sqlite::JobKind;

/// Arguments live in the coroutines' frames, which outlive their jobs: the lambdas refer to them.
class SqliteStore final : public Store {
 public:
  SqliteStore(const std::filesystem::path& data_dir, const std::filesystem::path& key_file)
      : data_dir_(data_dir), database_(data_dir_.databaseFile()) {
    sqlite::migrate(database_, data_dir_.databaseFile());
    box_.emplace(sqlite::openSecretBox(database_, data_dir_.databaseFile(), key_file));
    writer_.emplace(database_);
    audit_.emplace(*writer_);
    identities_.emplace(*writer_);
    usage_.emplace(*writer_);
    quotas_.emplace(*writer_);
  }
  AuditStore& audit() override { return *audit_; }
  IdentityStore& identities() override { return *identities_; }
  UsageStore& usage() override { return *usage_; }
  QuotaStore& quotas() override { return *quotas_; }

  awaitable<void> insertInstance(InstanceRecord record, OperationRecord operation) override {
    co_await write([&](Database& database) {
      sqlite::insertInstance(database, *box_, record);
      sqlite::insertOperation(database, operation);
    });
  }
  awaitable<void> updateInstance(InstanceRecord record) override {
    co_await write([&](Database& database) { sqlite::updateInstance(database, *box_, record); });
  }
  awaitable<void> updateInstanceAndOperation(InstanceRecord record, OperationRecord operation) override {
    co_await write([&](Database& database) {
      sqlite::updateInstance(database, *box_, record);
      sqlite::updateOperation(database, operation);
    });
  }
  awaitable<void> deleteInstanceRow(InstanceId id, Departure departure, std::optional<NameHold> hold) override {
    co_await write([&](Database& database) {
      database.execute("DELETE FROM instances WHERE id = ?", {id.str()});
      sqlite::putDeparture(database, departure);
      if (hold) sqlite::putNameHold(database, *hold);
    });
  }
  awaitable<void> handOverInstance(InstanceRecord record, std::vector<VolumeOwner> volumes) override {
    co_await write([&](Database& database) { sqlite::handOverInstance(database, *box_, record, volumes); });
  }
  awaitable<std::vector<VolumeOwner>> loadVolumeOwners() override { return read(sqlite::loadVolumeOwners); }
  awaitable<std::vector<NameHold>> loadNameHolds() override { return read(sqlite::loadNameHolds); }
  awaitable<void> dropNameHold(std::string name) override {
    co_await write([&](Database& database) { database.execute("DELETE FROM name_holds WHERE name = ?", {name}); });
  }
  awaitable<void> pruneNameHolds(SystemTime now) override {
    co_await write([&](Database& database) {
      database.execute("DELETE FROM name_holds WHERE until <= ?", {std::int64_t{now.time_since_epoch().count()}});
    });
  }
  awaitable<std::vector<InstanceRecord>> loadInstances() override {
    co_return co_await read([&](Database& database) { return sqlite::loadInstances(database, *box_); });
  }
  awaitable<void> recordExternal(InstanceId instance_id, ExternalResource resource) override {
    co_await write([&](Database& database) { sqlite::recordExternal(database, instance_id, resource); });
  }
  awaitable<void> forgetExternal(InstanceId instance_id, ExternalResource resource) override {
    co_await write([&](Database& database) {
      database.execute("DELETE FROM external_resources WHERE instance_id = ? AND kind = ? AND id = ?",
                       {instance_id.str(), resource.kind.name(), resource.id});
    });
  }

  awaitable<void> putPlace(PlaceRecord place) override {
    co_await write([&](Database& database) { sqlite::putPlace(database, place); });
  }
  awaitable<void> deletePlace(PlaceId id, Departure departure) override {
    co_await write([&](Database& database) {
      database.execute("DELETE FROM places WHERE id = ?", {id.str()});
      sqlite::putDeparture(database, departure);
    });
  }
  awaitable<std::vector<Departure>> loadDepartures() override { return read(sqlite::loadDepartures); }
  awaitable<std::vector<PlaceRecord>> loadPlaces() override { return read(sqlite::loadPlaces); }
  awaitable<void> switchPlace(InstanceRecord record, PlaceRecord former, OperationRecord operation) override {
    co_await write([&](Database& database) {
      sqlite::switchPlace(database, *box_, record, former);
      sqlite::updateOperation(database, operation);
    });
  }

  awaitable<void> insertOperation(OperationRecord operation) override {
    co_await write([&](Database& database) { sqlite::insertOperation(database, operation); });
  }
  awaitable<void> updateOperation(OperationRecord operation) override {
    co_await write([&](Database& database) { sqlite::updateOperation(database, operation); });
  }
  awaitable<std::optional<OperationRecord>> getOperation(std::string id) override {
    co_return co_await read([&](Database& database) { return sqlite::getOperation(database, id); });
  }
  awaitable<std::vector<Operation>> listOperations(OperationFilter filter) override {
    co_return co_await read([&](Database& database) { return sqlite::listOperations(database, filter); });
  }
  awaitable<std::vector<OperationRecord>> unfinishedOperations() override { return read(sqlite::unfinishedOperations); }
  awaitable<std::int64_t> pruneOperations(SystemTime before) override {
    std::int64_t removed = 0;
    co_await write([&](Database& database) { removed = sqlite::pruneOperations(database, before); });
    co_return removed;
  }

  awaitable<std::optional<IdempotencyEntry>> findIdempotencyKey(std::string user, std::string key) override {
    co_return co_await read([&](Database& database) { return sqlite::findIdempotencyKey(database, user, key); });
  }
  awaitable<void> putIdempotencyKey(std::string user, std::string key, IdempotencyEntry entry) override {
    co_await write([&](Database& database) { sqlite::putIdempotencyKey(database, user, key, entry, RealClock().now()); });
  }

  awaitable<std::optional<UserRecord>> getUser(std::string name) override {
    auto out = co_await read([&](Database& database) { return sqlite::loadUsers(database, name); });
    co_return out.empty() ? std::nullopt : std::optional(std::move(out.front()));
  }
  awaitable<void> putUser(UserRecord user) override {
    co_await write([&](Database& database) { sqlite::putUser(database, user); });
  }
  awaitable<void> insertUser(UserRecord user) override {
    co_await write([&](Database& database) { sqlite::insertUser(database, user); });
  }
  awaitable<UserRecord> changeUser(std::string name, UserChange change) override {
    UserRecord changed;
    co_await write([&](Database& database) { changed = sqlite::changeUser(database, name, change); });
    co_return changed;
  }
  awaitable<void> deleteUser(std::string name, std::string successor) override {
    co_await write([&](Database& database) { sqlite::deleteUser(database, name, successor); });
  }
  awaitable<std::map<std::string, std::string>> loadSuccessors() override { return read(sqlite::loadSuccessors); }
  awaitable<void> setGitIdentity(std::string user, GitIdentity identity) override {
    co_await write([&](Database& database) { sqlite::setGitIdentity(database, user, identity); });
  }
  awaitable<std::vector<UserRecord>> listUsers() override {
    co_return co_await read([&](Database& database) { return sqlite::loadUsers(database, std::nullopt); });
  }
  awaitable<void> startSession(SessionRecord session, UserRecord user, std::string maker) override {
    co_await write([&](Database& database) { sqlite::startSession(database, session, user, maker); });
  }
  awaitable<void> putSession(SessionRecord session) override {
    co_await write([&](Database& database) { sqlite::putSession(database, session); });
  }
  awaitable<void> extendSession(std::string id, SystemTime expires_at) override {
    co_await write([&](Database& database) {
      database.execute("UPDATE sessions SET expires_at = max(expires_at, ?) WHERE id = ? AND revoked = 0",
                       {std::int64_t{expires_at.time_since_epoch().count()}, id});
    });
  }
  awaitable<std::vector<SessionRecord>> loadSessions() override { return read(sqlite::loadSessions); }
  awaitable<void> pruneSessions(SystemTime now) override {
    co_await write([&](Database& database) {
      database.execute("DELETE FROM sessions WHERE expires_at <= ?", {std::int64_t{now.time_since_epoch().count()}});
    });
  }

  awaitable<std::optional<SecondFactorRecord>> getSecondFactor(std::string user) override {
    co_return co_await read([&](Database& database) { return sqlite::getSecondFactor(database, *box_, user); });
  }
  awaitable<void> insertSecondFactor(SecondFactorRecord factor, UserRecord user) override {
    co_await write([&](Database& database) { sqlite::insertSecondFactor(database, *box_, factor, user); });
  }
  awaitable<bool> useCodeStep(std::string user, std::int64_t step) override {
    bool used = false;
    co_await write([&](Database& database) { used = sqlite::useCodeStep(database, user, step); });
    co_return used;
  }
  awaitable<bool> useRecoveryCode(std::string user, std::string digest) override {
    bool used = false;
    co_await write([&](Database& database) { used = sqlite::useRecoveryCode(database, user, digest); });
    co_return used;
  }
  awaitable<void> deleteSecondFactor(std::string user) override {
    co_await write([&](Database& database) { sqlite::deleteSecondFactor(database, user); });
  }

  awaitable<std::optional<SharesAt>> putShare(ShareRecord share) override {
    std::optional<SharesAt> changed;
    co_await write([&](Database& database) {
      changed.reset();
      if (sqlite::putShare(database, share)) changed = {sqlite::loadShares(database, share.instanceId), ++share_sequence_};
    });
    co_return changed;
  }
  awaitable<SharesAt> deleteShare(InstanceId instance, Grantee grantee) override {
    SharesAt left;
    co_await write([&](Database& database) {
      sqlite::deleteShare(database, instance, grantee);
      left = {sqlite::loadShares(database, instance), ++share_sequence_};
    });
    co_return left;
  }
  awaitable<AllSharesAt> loadShares() override {
    co_return co_await read([&](Database& database) {
      return AllSharesAt{{sqlite::loadShares(database, std::nullopt), ++share_sequence_}, sqlite::loadGroups(database)};
    });
  }
  awaitable<void> pruneShares(SystemTime now) override {
    co_await write([&](Database& database) {
      database.execute("DELETE FROM shares WHERE expires_at BETWEEN 1 AND ?", {std::int64_t{now.time_since_epoch().count()}});
    });
  }

  awaitable<void> insertGroup(GroupRecord group) override {
    co_await write([&](Database& database) { sqlite::insertGroup(database, group); });
  }
  awaitable<void> deleteGroup(std::string name) override {
    co_await write([&](Database& database) { sqlite::deleteGroup(database, name); });
  }
  awaitable<void> addGroupMember(std::string group, std::string user) override {
    co_await write([&](Database& database) { sqlite::addGroupMember(database, group, user); });
  }
  awaitable<void> removeGroupMember(std::string group, std::string user) override {
    co_await write([&](Database& database) { sqlite::removeGroupMember(database, group, user); });
  }
  awaitable<bool> setManagedGroups(std::string user, std::string provider, std::vector<std::string> groups, SystemTime now) override {
    bool changed = false;
    co_await write([&](Database& database) { changed = sqlite::setManagedGroups(database, user, provider, groups, now); });
    co_return changed;
  }

  awaitable<void> putPortRule(PortRecord record, std::string owner) override {
    co_await write([&](Database& database) { sqlite::putPortRule(database, record, owner); });
  }
  awaitable<std::vector<PortRecord>> loadPortRules() override { return read(sqlite::loadPortRules); }
  awaitable<void> prunePortRules(SystemTime now) override {
    co_await write([&](Database& database) {
      database.execute("DELETE FROM port_rules WHERE expires_at BETWEEN 1 AND ?", {std::int64_t{now.time_since_epoch().count()}});
    });
  }

  awaitable<void> putTokenKey(TokenKeyRecord key) override {
    co_await write([&](Database& database) { sqlite::putTokenKey(database, *box_, key); });
  }
  awaitable<std::vector<TokenKeyRecord>> loadTokenKeys() override {
    co_return co_await read([&](Database& database) { return sqlite::loadTokenKeys(database, *box_); });
  }
  awaitable<void> pruneTokenKeys(SystemTime now) override {
    co_await write([&](Database& database) {
      database.execute("DELETE FROM token_keys WHERE expires_at BETWEEN 1 AND ?", {std::int64_t{now.time_since_epoch().count()}});
    });
  }

  awaitable<void> insertAccessToken(AccessTokenRecord record) override {
    co_await write([&](Database& database) { sqlite::insertAccessToken(database, record); });
  }
  awaitable<void> noteAccessTokenUses(std::map<std::string, SystemTime> uses) override {
    co_await write([&](Database& database) {
      for (const auto& [id, at] : uses)
        database.execute("UPDATE access_tokens SET last_used_at = ? WHERE id = ?", {std::int64_t{at.time_since_epoch().count()}, id});
    });
  }
  awaitable<void> deleteAccessToken(std::string id) override {
    co_await write([&](Database& database) { sqlite::deleteAccessTokens(database, id, ""); });
  }
  awaitable<std::vector<AccessTokenRecord>> loadAccessTokens() override { return read(sqlite::loadAccessTokens); }
  awaitable<void> pruneAccessTokens(SystemTime now) override {
    co_await write([&](Database& database) {
      database.execute("DELETE FROM access_tokens WHERE expires_at <= ?", {std::int64_t{now.time_since_epoch().count()}});
    });
  }

  awaitable<void> insertSshKey(SshKey key) override {
    co_await write([&](Database& database) { sqlite::insertSshKey(database, key); });
  }
  awaitable<void> noteSshKeyUses(std::map<std::string, SystemTime> uses) override {
    co_await write([&](Database& database) {
      for (const auto& [id, at] : uses)
        database.execute("UPDATE ssh_keys SET last_used_at = ? WHERE id = ?", {std::int64_t{at.time_since_epoch().count()}, id});
    });
  }
  awaitable<void> deleteSshKey(std::string id) override {
    co_await write([&](Database& database) { database.execute("DELETE FROM ssh_keys WHERE id = ?", {id}); });
  }
  awaitable<std::vector<SshKey>> loadSshKeys() override { return read(sqlite::loadSshKeys); }

  awaitable<std::optional<std::string>> getSetting(std::string name) override {
    co_return co_await read([&](Database& database) {
      sqlite::Rows rows = database.query("SELECT value FROM settings WHERE name = ?", {name});
      return rows.next() ? std::optional(rows.text(0)) : std::nullopt;
    });
  }
  awaitable<void> putSetting(std::string name, std::string value) override {
    co_await write([&](Database& database) {
      database.execute("INSERT INTO settings(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                       {name, value});
    });
  }

  awaitable<std::optional<Secret>> getSecret(std::string name) override {
    co_return co_await read([&](Database& database) { return sqlite::getSecret(database, *box_, name); });
  }
  awaitable<void> putSecret(std::string name, Secret value) override {
    co_await write([&](Database& database) { sqlite::putSecret(database, *box_, name, value); });
  }

 private:
  /// The result of `work`.
  template <typename Work, typename Result = std::invoke_result_t<Work&, Database&>>
  awaitable<Result> read(Work work) {
    Result out;
    co_await writer_->run(JobKind::Read, [&](Database& database) { out = work(database); });
    co_return out;
  }
  awaitable<void> write(sqlite::Writer::Work work) { return writer_->run(JobKind::Write, std::move(work)); }

  sqlite::DataDir data_dir_;  // declared first: the lock must be held as long as the database is open
  Database database_;
  std::optional<SecretBox> box_;
  std::optional<sqlite::Writer> writer_;
  std::uint64_t share_sequence_ = 0;  // on the writer's thread
  std::optional<sqlite::SqliteAudit> audit_;
  std::optional<sqlite::SqliteIdentities> identities_;
  std::optional<sqlite::SqliteUsage> usage_;
  std::optional<sqlite::SqliteQuotas> quotas_;
};

}  // namespace

std::unique_ptr<Store> openSqliteStore(const std::filesystem::path& data_dir, const std::filesystem::path& key_file) {
  return std::make_unique<SqliteStore>(data_dir, key_file.empty() ? data_dir / "secrets.key" : key_file);
}

}  // namespace swarm
