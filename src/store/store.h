// Store: the durable record of intent: instances, operations, users, sessions. tests/conformance/store tests every implementation.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/describe.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/audit_store.h"
#include "base/secret.h"
#include "model/operation_parameters.h"
#include "model/types/access_token.h"
#include "model/types/accounts/role.h"
#include "model/types/accounts/session_kind.h"
#include "model/types/credentials/ssh_key.h"
#include "model/types/git_identity.h"
#include "model/types/sharing.h"
#include "model/types/user_kind.h"
#include "provider/provider.h"
#include "store/identity_store.h"
#include "store/quota_store.h"
#include "store/usage_store.h"

namespace swarm {

/// An instance's row: the public part, and fields that only the server may know.
struct InstanceRecord {
  Instance instance;
  Secret agentSecret;                      ///< key of its tokens for an agent without support for public keys (HMAC), in hexadecimal
  std::vector<ExternalResource> external;  ///< ids at the provider, recorded as soon as they are known
  PlaceId placeId{};                       ///< its current place; empty: its first place, while it has never been moved
  Secret agentKey{};  ///< private key of its tokens (Ed25519 seed), in hexadecimal; empty in rows older than public keys
};

/// A former or future place of an instance at a provider, or a snapshot; not the current place.
struct PlaceRecord {
  PlaceId id;
  InstanceId instanceId;
  std::string owner;
  PlaceRole role = PlaceRole::target;
  ProviderType provider = ProviderType::docker;
  std::string region;
  InstanceConfig config;  ///< the configuration at that place
  std::vector<ExternalResource> external;
  SystemTime createdAt{};
  SystemTime expiresAt{};  ///< of a kept place
  // Of a snapshot.
  std::string name{};
  std::int64_t files = 0;
  std::int64_t bytes = 0;
};
BOOST_DESCRIBE_STRUCT(PlaceRecord, (), (owner, provider, region, config, name, files, bytes))  // in its row's body

struct UserRecord {
  std::string name;          ///< unique
  std::string passwordHash;  ///< argon2id string; empty: no sign-in by password
  Role role = Role::viewer;  ///< of a row: a role that this version does not know permits what a viewer may do
  SystemTime createdAt{};
  std::int64_t tokenGeneration = 1;  ///< tokens of an earlier generation are invalid (sign out everywhere)
  GitIdentity git{};                 ///< copied into new workspaces
  bool disabled = false;             ///< cannot sign in
  std::string inviteDigest{};        ///< of the code of the open invitation, in hexadecimal; empty: none
  SystemTime inviteExpires{};
  UserKind kind = UserKind::person;  ///< never changes
  bool secondFactor = false;         ///< there is a SecondFactorRecord
};

/// What changes of a user; absent members stay.
struct UserChange {
  std::optional<Role> role{};
  std::optional<std::string> passwordHash{};
  std::optional<bool> disabled{};
  std::optional<std::string> inviteDigest{};  ///< of a new invitation; empty: withdraws the open one
  SystemTime inviteExpires{};
  std::string ifInvited{};          ///< only while this invitation is open
  bool endsSessions = false;        ///< all sessions, by another token generation
  std::string onlySession{};        ///< the sessions except this one are revoked; empty: none is
  bool revokesCredentials = false;  ///< all access tokens, with those that they created, and all SSH keys
};

/// The session at an identity provider that a session here follows; empty: none.
struct ProviderSession {
  std::string provider{};  ///< its name in the configuration
  std::string subject{};
  std::string id{};  ///< "sid" of the provider; may be empty
};

struct SessionRecord {
  std::string id;  ///< random; a JWT's jti and a cookie's session
  std::string user;
  SystemTime expiresAt{};
  bool revoked = false;
  SessionKind kind = SessionKind::unknown;
  SystemTime createdAt{};  ///< the epoch: older than this field
  /// When the user proved who they are: for a session that a login link started, the sign-in of the session that made the link.
  SystemTime signedInAt{};
  ProviderSession follows{};  ///< also of a session that a login link of such a session started
};

/// A key that signs API tokens (Ed25519).
struct TokenKeyRecord {
  std::string id;  ///< the "kid" of its tokens
  Secret seed;     ///< the private key, in hexadecimal
  SystemTime createdAt{};
  std::optional<SystemTime> expiresAt{};  ///< of a key that was replaced: when the last token that it signed expires
};

struct AccessTokenRecord {
  AccessToken token;
  std::string digest;  ///< of the secret: SHA-256, in hexadecimal
};

/// What a sign-in of a user requires in addition to the password (TOTP, RFC 6238).
struct SecondFactorRecord {
  std::string user;
  Secret seed;  ///< raw bytes
  SystemTime since{};
  std::int64_t lastStep = 0;                   ///< of the last code that was used: codes of this and earlier steps count no more
  std::vector<std::string> recoveryDigests{};  ///< of the unused recovery codes
};

/// The name of a deleted instance, reserved for its former owner: browsers may still hold cookies and storage of its host.
struct NameHold {
  std::string name;
  std::string owner;
  SystemTime until{};
};

/// The owner of volumes whose label at the provider has another one: a hand-over changes no label. It outlives the instance.
struct VolumeOwner {
  PlaceId placeId;     ///< the one that they were created for
  std::string volume;  ///< name of one that has an owner of its own; empty: all volumes of the place
  std::string owner;
};

/// A set of users with whom instances are shared.
struct GroupRecord {
  std::string name;       ///< unique among groups
  std::string managedBy;  ///< the identity provider that alone sets its members; empty: administrators do
  SystemTime createdAt{};
  std::vector<std::string> members{};  ///< users, in order
};
inline constexpr std::size_t kMaxGroups = 1'000;
inline constexpr std::size_t kMaxGroupMembers = 1'000;

/// Access of others to an instance. It is deleted with the instance, and with the user or group.
struct ShareRecord {
  InstanceId instanceId;
  Grantee grantee;
  ShareAccess access = ShareAccess::viewer;
  std::string grantedBy;
  SystemTime createdAt{};
  std::optional<SystemTime> expiresAt{};
};
inline constexpr std::size_t kMaxSharesOfInstance = 100;

/// Shares at one moment. `sequence` orders those that one process has read.
struct SharesAt {
  std::vector<ShareRecord> shares;
  std::uint64_t sequence = 0;
};
/// All shares, and the groups that some of them name.
struct AllSharesAt : SharesAt {
  std::vector<GroupRecord> groups;  ///< by name
};

/// The level of one port of an instance. It is deleted with the instance, and when the instance gets another owner.
struct PortRecord {
  InstanceId instanceId;
  std::uint16_t port = 0;
  PortRule rule;
};

struct OperationFilter {
  std::optional<InstanceId> instanceId;
  std::optional<std::string> owner;
  std::vector<InstanceId> shared{};  ///< with `owner`: also operations of these instances
  std::optional<OperationStatus> status;
  std::size_t limit = 100;
  std::string before;  ///< operations with an id below this one (newest first)
};

/// Every call is durable when it completes (fsync), runs on the store's own writer thread, and resumes on the caller's executor;
/// thread-safe. A call completes even when its caller is cancelled. Concurrent calls are unordered, but a caller that has awaited a write
/// reads its result. Throws Error(OutOfResources) when the disk is full, Error(Unavailable) when the store is closed, Error(AlreadyExists)
/// for a taken name. Destroy the store before the loops whose coroutines call it.
class Store {
 public:
  virtual ~Store() = default;

  /// Inserts instance and operation in one transaction: intent before the first external call. AlreadyExists when the name is used by a
  /// live instance, or reserved for another owner at the instance's createdAt. NotFound when the owner was deleted.
  virtual awaitable<void> insertInstance(InstanceRecord record, OperationRecord operation) = 0;
  /// Updates everything except `external`, which only insertInstance, recordExternal and forgetExternal write, and the owner, which
  /// handOverInstance writes. This and every other update throw NotFound when the row does not exist.
  virtual awaitable<void> updateInstance(InstanceRecord record) = 0;
  /// Instance and operation in one transaction (status changes, ends).
  virtual awaitable<void> updateInstanceAndOperation(InstanceRecord record, OperationRecord operation) = 0;
  /// Keeps the instance's operations; no-op if the instance was already deleted. The same transaction records its departure, under the id
  /// at the provider, and `hold` reserves the name, replacing an earlier hold on it.
  virtual awaitable<void> deleteInstanceRow(InstanceId id, Departure departure, std::optional<NameHold> hold) = 0;
  /// updateInstance, and gives the instance to the record's owner in the same transaction, with its operations, its places (snapshots
  /// included) and `volumes`. That user's share of it ends, and so do the rules of its ports.
  virtual awaitable<void> handOverInstance(InstanceRecord record, std::vector<VolumeOwner> volumes) = 0;
  virtual awaitable<std::vector<VolumeOwner>> loadVolumeOwners() = 0;
  virtual awaitable<std::vector<NameHold>> loadNameHolds() = 0;
  virtual awaitable<void> dropNameHold(std::string name) = 0;  ///< no-op if absent
  virtual awaitable<void> pruneNameHolds(SystemTime now) = 0;  ///< removes expired holds
  virtual awaitable<std::vector<InstanceRecord>> loadInstances() = 0;
  virtual awaitable<void> recordExternal(InstanceId instance_id, ExternalResource resource) = 0;  ///< idempotent
  virtual awaitable<void> forgetExternal(InstanceId instance_id, ExternalResource resource) = 0;

  /// Inserts the place, or overwrites the one with its id. Places outlive their instance.
  virtual awaitable<void> putPlace(PlaceRecord place) = 0;
  virtual awaitable<void> deletePlace(PlaceId id, Departure departure) = 0;  ///< no-op if absent
  /// Deleted places, until pruneOperations() removes them: resources that turn up later at the provider are removed under the policy
  /// recorded here.
  virtual awaitable<std::vector<Departure>> loadDepartures() = 0;
  virtual awaitable<std::vector<PlaceRecord>> loadPlaces() = 0;
  /// The switch of a move, in one transaction: the instance's row with its new place (`external` included), the former place in its new
  /// role, and the operation. Deletes the row of the new place.
  virtual awaitable<void> switchPlace(InstanceRecord record, PlaceRecord former, OperationRecord operation) = 0;

  virtual awaitable<void> insertOperation(OperationRecord operation) = 0;
  virtual awaitable<void> updateOperation(OperationRecord operation) = 0;
  virtual awaitable<std::optional<OperationRecord>> getOperation(std::string id) = 0;
  virtual awaitable<std::vector<Operation>> listOperations(OperationFilter filter) = 0;
  virtual awaitable<std::vector<OperationRecord>> unfinishedOperations() = 0;  ///< pending or running, oldest first
  /// Removes ended operations, idempotency keys and departures from before `before`; returns the number of operations removed.
  virtual awaitable<std::int64_t> pruneOperations(SystemTime before) = 0;

  /// Idempotency keys: records what a (user, key) created; returns the first entry if one exists. `fingerprint`: a digest of the request.
  struct IdempotencyEntry {
    std::string fingerprint;
    InstanceId instanceId;
    std::string operationId;
  };
  virtual awaitable<std::optional<IdempotencyEntry>> findIdempotencyKey(std::string user, std::string key) = 0;
  /// Storing the same entry again is a no-op. AlreadyExists when the key belongs to another request.
  virtual awaitable<void> putIdempotencyKey(std::string user, std::string key, IdempotencyEntry entry) = 0;

  virtual awaitable<std::optional<UserRecord>> getUser(std::string name) = 0;
  /// Everything except `git`, which only setGitIdentity writes, and what only changeUser writes (`disabled`, the invitation).
  virtual awaitable<void> putUser(UserRecord user) = 0;
  /// AlreadyExists for a name that another user has or had.
  virtual awaitable<void> insertUser(UserRecord user) = 0;
  /// In one transaction; returns the changed user. NotFound when the user, or the invitation of `ifInvited`, does not exist; Conflict when
  /// the last enabled administrator with a password would be lost, and for an invitation of a disabled user.
  virtual awaitable<UserRecord> changeUser(std::string name, UserChange change) = 0;
  /// Deletes the user with their sessions, access tokens (and those that these created), SSH keys, memberships and idempotency keys, in
  /// one transaction, and gives what belongs to them (instances, places, operations, holds, departures) to `successor`. With an empty one:
  /// Conflict while there are instances or places. Conflict, too, when the last enabled administrator with a password would be lost.
  /// NotFound for an unknown user or successor. The name of a deleted user is not used again.
  virtual awaitable<void> deleteUser(std::string name, std::string successor) = 0;
  /// Deleted users, and the users who have what belonged to them; empty: none.
  virtual awaitable<std::map<std::string, std::string>> loadSuccessors() = 0;
  virtual awaitable<void> setGitIdentity(std::string user, GitIdentity identity) = 0;  ///< NotFound when the user does not exist
  virtual awaitable<std::vector<UserRecord>> listUsers() = 0;
  /// Inserts a session of `user`. NotFound unless the user is as given, and not disabled: with this password, token generation and second
  /// factor; and when `maker`, the session whose link starts this one (empty: none), has been revoked.
  virtual awaitable<void> startSession(SessionRecord session, UserRecord user, std::string maker = {}) = 0;
  virtual awaitable<void> putSession(SessionRecord session) = 0;
  /// Never shortens a session; no-op if it is absent or revoked.
  virtual awaitable<void> extendSession(std::string id, SystemTime expires_at) = 0;
  virtual awaitable<std::vector<SessionRecord>> loadSessions() = 0;  ///< all sessions: Auth keeps revocations in memory
  virtual awaitable<void> pruneSessions(SystemTime now) = 0;         ///< removes expired sessions

  virtual awaitable<std::optional<SecondFactorRecord>> getSecondFactor(std::string user) = 0;
  /// NotFound unless the user is as given, as startSession(); AlreadyExists when they have one.
  virtual awaitable<void> insertSecondFactor(SecondFactorRecord factor, UserRecord user) = 0;
  /// False: a code of this step or a later one was used.
  virtual awaitable<bool> useCodeStep(std::string user, std::int64_t step) = 0;
  virtual awaitable<bool> useRecoveryCode(std::string user, std::string digest) = 0;  ///< false: unknown or used
  virtual awaitable<void> deleteSecondFactor(std::string user) = 0;                   ///< no-op if absent

  /// Inserts the share, or overwrites the one with its grantee, and returns those of the instance. Nothing when the user or group does not
  /// exist; NotFound when the instance does not; Conflict beyond kMaxSharesOfInstance.
  virtual awaitable<std::optional<SharesAt>> putShare(ShareRecord share) = 0;
  /// Returns those that are left of the instance. NotFound when it is absent.
  virtual awaitable<SharesAt> deleteShare(InstanceId instance, Grantee grantee) = 0;
  virtual awaitable<AllSharesAt> loadShares() = 0;          ///< of all instances, by instance and grantee
  virtual awaitable<void> pruneShares(SystemTime now) = 0;  ///< removes expired shares

  /// Without its members. AlreadyExists for the name of another group, Conflict beyond kMaxGroups.
  virtual awaitable<void> insertGroup(GroupRecord group) = 0;
  virtual awaitable<void> deleteGroup(std::string name) = 0;  ///< with the shares with it; NotFound when it is absent
  /// No-op for a member. NotFound when the group, or an enabled user of this name, does not exist; Conflict for a group that an identity
  /// provider manages, and beyond kMaxGroupMembers. Disabling a user removes them from all groups.
  virtual awaitable<void> addGroupMember(std::string group, std::string user) = 0;
  virtual awaitable<void> removeGroupMember(std::string group, std::string user) = 0;  ///< the same; NotFound, too, for another user
  /// Makes the user a member of these groups of the provider, and of no other group of it. Creates those that do not exist. Groups that
  /// the provider does not manage, and what exceeds a maximum, are left out. Returns whether this changed something; NotFound when the
  /// user does not exist.
  virtual awaitable<bool> setManagedGroups(std::string user, std::string provider, std::vector<std::string> groups, SystemTime now) = 0;

  /// Replaces the rule of the port; one of the level `owner` removes it. NotFound unless the instance belongs to `owner`.
  virtual awaitable<void> putPortRule(PortRecord record, std::string owner) = 0;
  virtual awaitable<std::vector<PortRecord>> loadPortRules() = 0;
  virtual awaitable<void> prunePortRules(SystemTime now) = 0;  ///< removes expired ones

  virtual awaitable<void> putTokenKey(TokenKeyRecord key) = 0;         ///< of the key with its id, overwrites only `expiresAt`
  virtual awaitable<std::vector<TokenKeyRecord>> loadTokenKeys() = 0;  ///< from the oldest
  virtual awaitable<void> pruneTokenKeys(SystemTime now) = 0;          ///< removes expired keys

  /// AlreadyExists when its owner has one of this name; NotFound when its parent is absent.
  virtual awaitable<void> insertAccessToken(AccessTokenRecord record) = 0;
  /// The last uses, by id; ids without a token are ignored.
  virtual awaitable<void> noteAccessTokenUses(std::map<std::string, SystemTime> uses) = 0;
  virtual awaitable<void> deleteAccessToken(std::string id) = 0;             ///< with those that it created; no-op if absent
  virtual awaitable<std::vector<AccessTokenRecord>> loadAccessTokens() = 0;  ///< from the oldest
  virtual awaitable<void> pruneAccessTokens(SystemTime now) = 0;             ///< removes expired ones

  virtual awaitable<void> insertSshKey(SshKey key) = 0;  ///< AlreadyExists when its owner has this key; NotFound without its owner
  virtual awaitable<void> noteSshKeyUses(std::map<std::string, SystemTime> uses) = 0;  ///< the last ones, by id; ignores absent ids
  virtual awaitable<void> deleteSshKey(std::string id) = 0;                            ///< no-op if absent
  virtual awaitable<std::vector<SshKey>> loadSshKeys() = 0;                            ///< from the oldest

  /// Small named values, such as the swarm's id; not secrets.
  virtual awaitable<std::optional<std::string>> getSetting(std::string name) = 0;
  virtual awaitable<void> putSetting(std::string name, std::string value) = 0;
  /// Named secrets, such as the key of cookies. These, and the secrets in other records, are sealed where they are stored.
  virtual awaitable<std::optional<Secret>> getSecret(std::string name) = 0;
  virtual awaitable<void> putSecret(std::string name, Secret value) = 0;

  virtual AuditStore& audit() = 0;
  virtual IdentityStore& identities() = 0;
  virtual UsageStore& usage() = 0;
  virtual QuotaStore& quotas() = 0;
};

}  // namespace swarm
