// SshKeys: the public keys with which users sign in to the SSH listener. What a key permits is what its owner's role and shares permit at
// the moment of use.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/certificates/revoked_keys.h"
#include "auth/session/sessions.h"
#include "auth/sign_in/sign_in_records.h"

namespace swarm {

/// Thread-safe. Only functions that return an awaitable do I/O.
class SshKeys {
 public:
  /// What it shares with Auth.
  struct Parts {
    Store& store;
    const Clock& clock;
    const SessionTable& users;
    SignInRecords& signIns;
    const RevokedKeys& revoked;
    std::function<void()> noteRevocation;
  };
  explicit SshKeys(Parts parts) : parts_(std::move(parts)) {}

  awaitable<void> load();
  /// With the name, owner, type, fingerprint and public key of `wanted`. Throws Error(AlreadyExists) when the owner has this key,
  /// Error(Conflict) when the owner has very many, or forgetOf() them in this time.
  awaitable<SshKey> add(SshKey wanted);
  std::vector<SshKey> list() const;  ///< from the oldest
  /// What it opened ends. No-op if absent.
  awaitable<void> remove(std::string id);
  void forgetOf(std::string_view owner);  ///< whose rows were deleted
  /// Stores the last uses. Call it once a minute.
  awaitable<void> maintain();

  /// Whether a user who is not disabled has the key, whatever their name, and it is not revoked. Several may have it.
  bool isRegistered(std::string_view fingerprint) const;
  /// The user, if the key, which the client has proven to have, is theirs. The sign-in or its refusal is recorded; throws when it cannot
  /// be. Notes the use. `Principal::sessionId` is the key's id.
  awaitable<std::optional<Principal>> signIn(std::string user, std::string fingerprint, LoginOrigin origin);
  /// The same for a principal that signIn() returned; nothing, too, when the role has changed: what was opened with the former one ends.
  std::optional<Principal> find(const Principal& principal) const;
  /// The public keys of the principal's user that are not revoked: first the one that was used.
  std::vector<std::string> publicKeysOf(const Principal& principal) const;

 private:
  struct Entry {
    SshKey key;
    std::atomic<SystemTime::rep> usedAt{0};  ///< 0: never
    std::atomic<SystemTime::rep> savedUse{0};
  };
  using EntryPtr = std::shared_ptr<Entry>;
  using Entries = std::map<std::string, EntryPtr, std::less<>>;
  class Addition;

  EntryPtr withId(std::string_view id) const;
  EntryPtr ofOwner(std::string_view owner, std::string_view fingerprint) const;
  void put(SshKey key);
  bool forget(std::string_view id);
  std::optional<Principal> principalOf(const Entry& entry) const;
  bool isRevoked(std::string_view fingerprint) const;
  bool mayBeUsed(std::string_view fingerprint) const;  ///< to sign in
  std::vector<EntryPtr> entries() const;

  Parts parts_;
  mutable std::shared_mutex mutex_;
  Entries by_id_;
  std::map<std::string, Entries, std::less<>> by_fingerprint_;  ///< and owner
  std::map<std::string, std::string> additions_;                ///< owners by the ids of keys that are being stored
};

}  // namespace swarm
