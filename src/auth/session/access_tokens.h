// Access tokens: secrets with which programs act for a user. The store has their digests; what they permit follows from their scopes and
// the role of their owner at the moment of use.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/session/sessions.h"

namespace swarm {

/// A new secret: a prefix that scanners of source code recognise, 160 random bits and a checksum, in hexadecimal.
Secret makeAccessTokenSecret();
/// Whether a text has the form of one, with the right checksum.
bool isAccessTokenSecret(std::string_view text);

/// With the only copy of the secret.
struct CreatedAccessToken {
  AccessToken token;
  Secret secret;
};

/// Thread-safe. Verification does no I/O.
class AccessTokens {
 public:
  /// What it shares with Auth.
  struct Parts {
    Store& store;
    const Clock& clock;
    const SessionTable& users;
    std::function<void()> noteRevocation;
    std::chrono::hours maxLife;
  };
  explicit AccessTokens(Parts parts) : parts_(std::move(parts)) {}

  awaitable<void> load();
  /// With the name, owner, scopes and limits of `wanted`. Throws Error(InvalidArgument) for a life beyond the maximum, Error(Conflict) when
  /// the owner has a token of this name, or very many. Error(PermissionDenied) when `by` used a token that permits less, or ends earlier.
  awaitable<CreatedAccessToken> create(const Principal& by, AccessToken wanted, std::chrono::hours life);
  std::vector<AccessToken> list() const;  ///< that have not expired, from the oldest
  /// It is invalid from here on, with the tokens that it created, and what they opened ends. No-op if absent.
  awaitable<void> revoke(std::string id);
  void forgetOf(std::string_view owner);  ///< after the deletion of the rows of this owner's tokens, and of those that they created
  /// Stores the last uses, and forgets expired tokens and those of deleted users. Call it once a minute.
  awaitable<void> maintain();

  /// The owner, limited by the token. Notes the use.
  std::optional<Principal> verify(std::string_view secret) const;
  /// The same for a principal that verify() returned; nothing, too, when the owner's role has changed: what was opened with the former
  /// role ends.
  std::optional<Principal> find(const Principal& principal) const;

 private:
  struct Entry {
    std::shared_ptr<const AccessToken> token;
    std::string digest;
    std::atomic<SystemTime::rep> usedAt{0};  ///< 0: never
    std::atomic<SystemTime::rep> savedUse{0};
  };
  using EntryPtr = std::shared_ptr<Entry>;

  bool add(const AccessTokenRecord& record);     ///< false: its parent was revoked
  bool forget(std::string_view id);              ///< with the tokens that it created; false: it was absent
  void insert(const AccessTokenRecord& record);  ///< these two with the lock
  void erase(const std::string& id);
  bool isOver(const Entry& entry) const;
  std::optional<Principal> principalOf(const Entry& entry) const;
  std::vector<EntryPtr> entries() const;

  Parts parts_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, EntryPtr, std::less<>> by_id_;
  std::map<std::string, EntryPtr, std::less<>> by_digest_;
};

}  // namespace swarm
