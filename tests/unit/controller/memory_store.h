// MemoryStore: a Store in memory that outlives the controller, for crash tests; each call takes one turn of the loop, like a real one.
#pragma once

#include <map>

#include "store/store.h"
#include "support/memory_audit.h"
#include "support/memory_usage.h"

namespace swarm::test {

class MemoryQuotas final : public QuotaStore {
 public:
  awaitable<Quotas> load() override { co_return all_; }
  awaitable<void> put(QuotaSubject subject, ResourceLimits limits) override {
    all_[subject] = limits;
    co_return;
  }
  awaitable<void> remove(QuotaSubject subject) override {
    all_.erase(subject);
    co_return;
  }

 private:
  Quotas all_;
};

class MemoryStore final : public Store {
 public:
  std::map<InstanceId, InstanceRecord> instances;
  std::map<std::string, OperationRecord> operations;
  std::map<PlaceId, PlaceRecord> places;
  std::map<PlaceId, Departure> departures;
  std::map<std::pair<PlaceId, std::string>, VolumeOwner> volumeOwners;
  std::map<std::string, std::string> settings;
  std::map<std::string, Secret> secrets;
  std::map<std::string, NameHold> holds;
  std::map<std::pair<InstanceId, std::uint16_t>, PortRule> portRules;
  std::map<std::string, std::string> successors;
  std::optional<Error> failWrites;  ///< "the disk is full"
  int failWritesTimes = 0;
  int turnsAtUnfinished = 1;  ///< turns of the loop until unfinishedOperations() returns

  awaitable<void> insertInstance(InstanceRecord record, OperationRecord operation) override;
  awaitable<void> updateInstance(InstanceRecord record) override;
  awaitable<void> updateInstanceAndOperation(InstanceRecord record, OperationRecord operation) override;
  awaitable<void> deleteInstanceRow(InstanceId id, Departure departure, std::optional<NameHold> hold) override;
  awaitable<void> handOverInstance(InstanceRecord record, std::vector<VolumeOwner> volumes) override;
  awaitable<std::vector<VolumeOwner>> loadVolumeOwners() override;
  awaitable<std::vector<NameHold>> loadNameHolds() override;
  awaitable<void> dropNameHold(std::string name) override;
  awaitable<void> pruneNameHolds(SystemTime) override { co_return; }
  awaitable<std::vector<InstanceRecord>> loadInstances() override;
  awaitable<void> recordExternal(InstanceId instance_id, ExternalResource resource) override;
  awaitable<void> forgetExternal(InstanceId instance_id, ExternalResource resource) override;
  awaitable<void> putPlace(PlaceRecord place) override;
  awaitable<void> deletePlace(PlaceId id, Departure departure) override;
  awaitable<std::vector<Departure>> loadDepartures() override;
  awaitable<std::vector<PlaceRecord>> loadPlaces() override;
  awaitable<void> switchPlace(InstanceRecord record, PlaceRecord former, OperationRecord operation) override;
  awaitable<void> insertOperation(OperationRecord operation) override;
  awaitable<void> updateOperation(OperationRecord operation) override;
  awaitable<std::optional<OperationRecord>> getOperation(std::string id) override;
  awaitable<std::vector<Operation>> listOperations(OperationFilter filter) override;
  awaitable<std::vector<OperationRecord>> unfinishedOperations() override;
  awaitable<std::int64_t> pruneOperations(SystemTime before) override;
  awaitable<std::optional<IdempotencyEntry>> findIdempotencyKey(std::string user, std::string key) override;
  awaitable<void> putIdempotencyKey(std::string user, std::string key, IdempotencyEntry entry) override;
  awaitable<std::optional<UserRecord>> getUser(std::string) override { co_return std::nullopt; }
  awaitable<void> putUser(UserRecord) override { co_return; }
  awaitable<void> insertUser(UserRecord) override { co_return; }
  awaitable<UserRecord> changeUser(std::string, UserChange) override { co_return UserRecord{}; }
  awaitable<void> deleteUser(std::string name, std::string successor) override {
    successors[name] = successor;
    co_return;
  }
  awaitable<std::map<std::string, std::string>> loadSuccessors() override { co_return successors; }
  awaitable<void> setGitIdentity(std::string, GitIdentity) override { co_return; }
  awaitable<std::vector<UserRecord>> listUsers() override { co_return std::vector<UserRecord>(); }
  awaitable<void> startSession(SessionRecord, UserRecord, std::string) override { co_return; }
  awaitable<void> putSession(SessionRecord) override { co_return; }
  awaitable<void> extendSession(std::string, SystemTime) override { co_return; }
  awaitable<std::vector<SessionRecord>> loadSessions() override { co_return std::vector<SessionRecord>(); }
  awaitable<void> pruneSessions(SystemTime) override { co_return; }
  awaitable<std::optional<SecondFactorRecord>> getSecondFactor(std::string) override { co_return std::nullopt; }
  awaitable<void> insertSecondFactor(SecondFactorRecord, UserRecord) override { co_return; }
  awaitable<bool> useCodeStep(std::string, std::int64_t) override { co_return false; }
  awaitable<bool> useRecoveryCode(std::string, std::string) override { co_return false; }
  awaitable<void> deleteSecondFactor(std::string) override { co_return; }
  awaitable<std::optional<SharesAt>> putShare(ShareRecord) override { co_return std::nullopt; }
  awaitable<SharesAt> deleteShare(InstanceId, Grantee) override { co_return SharesAt(); }
  awaitable<AllSharesAt> loadShares() override { co_return AllSharesAt(); }
  awaitable<void> insertGroup(GroupRecord) override { co_return; }
  awaitable<void> deleteGroup(std::string) override { co_return; }
  awaitable<void> addGroupMember(std::string, std::string) override { co_return; }
  awaitable<void> removeGroupMember(std::string, std::string) override { co_return; }
  awaitable<bool> setManagedGroups(std::string, std::string, std::vector<std::string>, SystemTime) override { co_return false; }
  awaitable<void> pruneShares(SystemTime) override { co_return; }
  awaitable<void> putPortRule(PortRecord record, std::string owner) override;
  awaitable<std::vector<PortRecord>> loadPortRules() override;
  awaitable<void> prunePortRules(SystemTime) override { co_return; }
  awaitable<void> putTokenKey(TokenKeyRecord) override { co_return; }
  awaitable<std::vector<TokenKeyRecord>> loadTokenKeys() override { co_return std::vector<TokenKeyRecord>(); }
  awaitable<void> pruneTokenKeys(SystemTime) override { co_return; }
  awaitable<void> insertAccessToken(AccessTokenRecord) override { co_return; }
  awaitable<void> noteAccessTokenUses(std::map<std::string, SystemTime>) override { co_return; }
  awaitable<void> deleteAccessToken(std::string) override { co_return; }
  awaitable<std::vector<AccessTokenRecord>> loadAccessTokens() override { co_return std::vector<AccessTokenRecord>(); }
  awaitable<void> pruneAccessTokens(SystemTime) override { co_return; }
  awaitable<void> insertSshKey(SshKey) override { co_return; }
  awaitable<void> noteSshKeyUses(std::map<std::string, SystemTime>) override { co_return; }
  awaitable<void> deleteSshKey(std::string) override { co_return; }
  awaitable<std::vector<SshKey>> loadSshKeys() override { co_return std::vector<SshKey>(); }
  awaitable<std::optional<std::string>> getSetting(std::string name) override;
  awaitable<void> putSetting(std::string name, std::string value) override;
  awaitable<std::optional<Secret>> getSecret(std::string name) override;
  awaitable<void> putSecret(std::string name, Secret value) override;
  AuditStore& audit() override { return audit_; }
  IdentityStore& identities() override { std::terminate(); }
  UsageStore& usage() override { return usage_; }
  QuotaStore& quotas() override { return quotas_; }

 private:
  awaitable<void> turn();
  awaitable<void> write();

  std::map<std::pair<std::string, std::string>, IdempotencyEntry> keys_;
  MemoryAudit audit_;
  MemoryUsage usage_;
  MemoryQuotas quotas_;
};

}  // namespace swarm::test
