// Records to rows and back: the SQL of every table.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/types/git_identity.h"
#include "secrets/secret_box.h"
#include "sqlite/database.h"
#include "store/store.h"

namespace swarm::sqlite {

void insertInstance(Database& database, const SecretBox& box, const InstanceRecord& record);
void updateInstance(Database& database, const SecretBox& box, const InstanceRecord& record);
std::vector<InstanceRecord> loadInstances(Database& database, const SecretBox& box);
void handOverInstance(Database& database, const SecretBox& box, const InstanceRecord& record, const std::vector<VolumeOwner>& volumes);
std::vector<VolumeOwner> loadVolumeOwners(Database& database);
void recordExternal(Database& database, const InstanceId& instance_id, const ExternalResource& resource);

void putPlace(Database& database, const PlaceRecord& place);
std::vector<PlaceRecord> loadPlaces(Database& database);
void switchPlace(Database& database, const SecretBox& box, const InstanceRecord& record, const PlaceRecord& former);

void putDeparture(Database& database, const Departure& departure);
std::vector<Departure> loadDepartures(Database& database);

void insertOperation(Database& database, const OperationRecord& operation);
void updateOperation(Database& database, const OperationRecord& operation);
std::optional<OperationRecord> getOperation(Database& database, const std::string& id);
std::vector<Operation> listOperations(Database& database, const OperationFilter& filter);
std::vector<OperationRecord> unfinishedOperations(Database& database);
std::int64_t pruneOperations(Database& database, SystemTime before);

std::optional<Store::IdempotencyEntry> findIdempotencyKey(Database& database, const std::string& user, const std::string& key);
void putIdempotencyKey(Database& database, const std::string& user, const std::string& key, const Store::IdempotencyEntry& entry,
                       SystemTime now);

void putNameHold(Database& database, const NameHold& hold);
std::vector<NameHold> loadNameHolds(Database& database);

std::vector<UserRecord> loadUsers(Database& database, const std::optional<std::string>& name);  ///< all without a name
void putUser(Database& database, const UserRecord& user);
void insertUser(Database& database, const UserRecord& user);
UserRecord changeUser(Database& database, const std::string& name, const UserChange& change);
void deleteUser(Database& database, const std::string& name, const std::string& successor);
std::map<std::string, std::string> loadSuccessors(Database& database);
void setGitIdentity(Database& database, const std::string& user, const GitIdentity& identity);
std::vector<SessionRecord> loadSessions(Database& database);
void startSession(Database& database, const SessionRecord& session, const UserRecord& user, const std::string& maker);
void putSession(Database& database, const SessionRecord& session);
/// Throws Error(NotFound) unless the user is as given, and not disabled.
void requireAsGiven(Database& database, const UserRecord& user);
std::optional<SecondFactorRecord> getSecondFactor(Database& database, const SecretBox& box, const std::string& user);
void insertSecondFactor(Database& database, const SecretBox& box, const SecondFactorRecord& factor, const UserRecord& user);
bool useCodeStep(Database& database, const std::string& user, std::int64_t step);
bool useRecoveryCode(Database& database, const std::string& user, const std::string& digest);
void deleteSecondFactor(Database& database, const std::string& user);
bool putShare(Database& database, const ShareRecord& share);  ///< false: there is no such user or group
void deleteShare(Database& database, const InstanceId& instance, const Grantee& grantee);
std::vector<ShareRecord> loadShares(Database& database, const std::optional<InstanceId>& instance);  ///< all without an instance
std::vector<GroupRecord> loadGroups(Database& database);
void insertGroup(Database& database, const GroupRecord& group);
void deleteGroup(Database& database, const std::string& name);
void addGroupMember(Database& database, const std::string& group, const std::string& user);
void removeGroupMember(Database& database, const std::string& group, const std::string& user);
bool setManagedGroups(Database& database, const std::string& user, const std::string& provider, const std::vector<std::string>& groups,
                      SystemTime now);
void putPortRule(Database& database, const PortRecord& record, const std::string& owner);
std::vector<PortRecord> loadPortRules(Database& database);
std::vector<TokenKeyRecord> loadTokenKeys(Database& database, const SecretBox& box);
void putTokenKey(Database& database, const SecretBox& box, const TokenKeyRecord& key);
std::optional<Secret> getSecret(Database& database, const SecretBox& box, const std::string& name);
void putSecret(Database& database, const SecretBox& box, const std::string& name, const Secret& value);
std::vector<AccessTokenRecord> loadAccessTokens(Database& database);
void insertAccessToken(Database& database, const AccessTokenRecord& record);
/// The token with this id and those of this owner, with those that they created. An empty text is none's.
void deleteAccessTokens(Database& database, const std::string& id, const std::string& owner);
std::vector<SshKey> loadSshKeys(Database& database);
void insertSshKey(Database& database, const SshKey& key);
void deleteSshKeys(Database& database, const std::string& owner);

}  // namespace swarm::sqlite
