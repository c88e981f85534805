// Store: the durable truth about intent (architecture.md §6): instances, operations, users, sessions. tests/conformance/store holds
// implementations to it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "model/operation_parameters.h"
#include "provider/provider.h"

namespace swarm {

/// An instance's row: the public part, and what only the server may know.
struct InstanceRecord {
  Instance instance;
  Secret agentSecret;                      ///< key of its tokens for an agent that knows no public keys (HMAC), in hexadecimal
  std::vector<ExternalResource> external;  ///< ids at the provider, recorded as they became known
  std::string placeId{};                   ///< what its provider knows it by; empty: the instance's id, as long as it was never moved
  Secret agentKey{};  ///< private key of its tokens (Ed25519 seed), in hexadecimal; empty in rows from before public keys
};

/// Where an instance stands, stood or will stand at a provider, besides the place in force.
struct PlaceRecord {
  std::string id;  ///< what the provider knows it by
  std::string instanceId;
  std::string owner;
  PlaceRole role = PlaceRole::target;
  ProviderType provider = ProviderType::docker;
  std::string region;
  InstanceConfig config;  ///< as it is made there
  std::vector<ExternalResource> external;
  SystemTime createdAt{};
  SystemTime expiresAt{};  ///< of a kept one
  // Of a snapshot.
  std::string name{};
  std::int64_t files = 0;
  std::int64_t bytes = 0;
};

struct UserRecord {
  std::string name;          ///< unique
  std::string passwordHash;  ///< argon2id string; empty: can't sign in by password
  std::string role;          ///< "admin", "user", "viewer"
  SystemTime createdAt{};
  std::int64_t tokenGeneration = 1;  ///< tokens of an earlier generation are void (sign out everywhere)
  GitIdentity git{};                 ///< put into new workspaces
};

struct SessionRecord {
  std::string id;  ///< random; a JWT's jti and a cookie's session
  std::string user;
  SystemTime expiresAt{};
  bool revoked = false;
  std::string kind{};      ///< how it began: "password", "link", "machine"; empty: before this was recorded
  SystemTime createdAt{};  ///< the epoch: before this was recorded
};

/// A deleted instance's name, kept for its former owner: browsers may still hold what it left at its host.
struct NameHold {
  std::string name;
  std::string owner;
  SystemTime until{};
};

struct OperationFilter {
  std::optional<std::string> instanceId;
  std::optional<std::string> owner;
  std::optional<OperationStatus> status;
  std::size_t limit = 100;
  std::string before;  ///< operations with an id below this one (newest first)
};

/// Every call is durable when it completes (fsync), runs on the store's own writer thread, and resumes on the caller's executor;
/// thread-safe. A call that was made goes through even when its caller is cancelled. Calls in flight at the same time are not ordered, but
/// whoever awaited a write reads it. Throws Error(OutOfResources) when the disk is full, Error(Unavailable) when the store is closed,
/// Error(AlreadyExists) for a taken name. Destroy the store before the loops whose coroutines call it.
class Store {
 public:
  virtual ~Store() = default;

  /// Inserts instance and operation in one transaction: intent before the first external call. AlreadyExists when the name is taken by a
  /// live instance, or kept for another owner at the instance's createdAt.
  virtual awaitable<void> insertInstance(InstanceRecord record, OperationRecord operation) = 0;
  /// All but `external`, which only insertInstance, recordExternal and forgetExternal write. NotFound when there is no such row, here and
  /// in every update.
  virtual awaitable<void> updateInstance(InstanceRecord record) = 0;
  /// Instance and operation in one transaction (status flips, ends).
  virtual awaitable<void> updateInstanceAndOperation(InstanceRecord record, OperationRecord operation) = 0;
  /// Its operations stay; already gone: fine. In the same transaction its departure is remembered, by the provider's id, and `hold` keeps
  /// the name, in place of an earlier hold on it.
  virtual awaitable<void> deleteInstanceRow(std::string id, Departure departure, std::optional<NameHold> hold) = 0;
  virtual awaitable<std::vector<NameHold>> loadNameHolds() = 0;
  virtual awaitable<void> dropNameHold(std::string name) = 0;  ///< already gone: fine
  virtual awaitable<void> pruneNameHolds(SystemTime now) = 0;  ///< removes those that have ended
  virtual awaitable<std::vector<InstanceRecord>> loadInstances() = 0;
  virtual awaitable<void> recordExternal(std::string instance_id, ExternalResource resource) = 0;  ///< idempotent
  virtual awaitable<void> forgetExternal(std::string instance_id, ExternalResource resource) = 0;

  /// Inserts the place, or writes over the one with its id. Places outlive their instance.
  virtual awaitable<void> putPlace(PlaceRecord place) = 0;
  virtual awaitable<void> deletePlace(std::string id, Departure departure) = 0;  ///< already gone: fine
  /// What was deleted, until pruneOperations() forgets it: what comes to light of it at its provider is removed as was asked then.
  virtual awaitable<std::vector<Departure>> loadDepartures() = 0;
  virtual awaitable<std::vector<PlaceRecord>> loadPlaces() = 0;
  /// The switch of a move, in one transaction: the instance's row with its new place (`external` included), the former place in the role it
  /// has from now on, and the operation. The new place's own row goes.
  virtual awaitable<void> switchPlace(InstanceRecord record, PlaceRecord former, OperationRecord operation) = 0;

  virtual awaitable<void> insertOperation(OperationRecord operation) = 0;
  virtual awaitable<void> updateOperation(OperationRecord operation) = 0;
  virtual awaitable<std::optional<OperationRecord>> getOperation(std::string id) = 0;
  virtual awaitable<std::vector<Operation>> listOperations(OperationFilter filter) = 0;
  virtual awaitable<std::vector<OperationRecord>> unfinishedOperations() = 0;  ///< pending or running, oldest first
  /// Removes operations that ended, idempotency keys that were put, and departures, before `before`; gives how many operations.
  virtual awaitable<std::int64_t> pruneOperations(SystemTime before) = 0;

  /// Idempotency keys: remembers what a (user, key) made; gives the first answer when it was there. `fingerprint`: a digest of the request.
  struct IdempotencyEntry {
    std::string fingerprint;
    std::string instanceId;
    std::string operationId;
  };
  virtual awaitable<std::optional<IdempotencyEntry>> findIdempotencyKey(std::string user, std::string key) = 0;
  /// The same entry again: fine. AlreadyExists when the key stands for something else.
  virtual awaitable<void> putIdempotencyKey(std::string user, std::string key, IdempotencyEntry entry) = 0;

  virtual awaitable<std::optional<UserRecord>> getUser(std::string name) = 0;
  virtual awaitable<void> putUser(UserRecord user) = 0;                                ///< all but `git`, which only setGitIdentity writes
  virtual awaitable<void> setGitIdentity(std::string user, GitIdentity identity) = 0;  ///< NotFound when there is no such user
  virtual awaitable<std::vector<UserRecord>> listUsers() = 0;
  virtual awaitable<void> putSession(SessionRecord session) = 0;
  virtual awaitable<std::optional<SessionRecord>> getSession(std::string id) = 0;
  virtual awaitable<std::vector<SessionRecord>> loadSessions() = 0;  ///< all: Auth keeps revocations in memory
  virtual awaitable<void> pruneSessions(SystemTime now) = 0;         ///< removes those that expired

  /// Small named values: the swarm's id, the token-signing key.
  virtual awaitable<std::optional<std::string>> getSetting(std::string name) = 0;
  virtual awaitable<void> putSetting(std::string name, std::string value) = 0;
};

}  // namespace swarm
