// The keys of API tokens, their rotation, and the verification of tokens.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/session/api_token.h"
#include "auth/session/sessions.h"
#include "base/clock.h"
#include "store/store.h"

namespace swarm {

/// One key signs. Former ones verify until the last token that they signed has expired: the last of the sessions that were live when the
/// key was replaced. Thread-safe.
class TokenKeys {
 public:
  /// `life`: the age at which renew() replaces the signing key.
  TokenKeys(Store& store, const SessionTable& sessions, const Clock& clock, std::chrono::hours life)
      : store_(store), sessions_(sessions), clock_(clock), life_(life) {}

  /// Loads the keys, after the sessions, and renews them; the first start makes one.
  awaitable<void> load();
  /// Replaces the signing key when it has reached its age, and forgets the former keys that no token needs.
  awaitable<void> renew();
  /// Replaces the signing key now, and returns the new one. Throws Error(Conflict) while there are very many.
  awaitable<TokenKeyInfo> rotate();
  std::vector<TokenKeyInfo> list() const;  ///< from the oldest

  std::string sign(const ApiTokenClaims& claims) const;
  struct Verified {
    ApiTokenClaims claims;
    SystemTime signedUntil;  ///< when the token's key was replaced
  };
  /// The claims of a token that one of the keys signed; no I/O. The caller checks their meaning.
  std::optional<Verified> verify(std::string_view token) const;
  /// The creation of the oldest key. Without keys: the end of time.
  SystemTime since() const;

 private:
  struct Entry {
    std::shared_ptr<const ApiTokenKey> key;
    SystemTime createdAt;
    std::optional<SystemTime> expiresAt;  ///< of a former key
  };

  static TokenKeyInfo infoOf(const Entry& entry);
  static TokenKeyRecord recordOf(const Entry& entry);
  static std::optional<Entry> newestOf(const std::vector<Entry>& entries);
  std::optional<Entry> current() const;
  std::vector<Entry> entries() const;
  struct Signer {
    std::shared_ptr<const ApiTokenKey> key;
    SystemTime until;
  };
  std::optional<Signer> signerOf(std::string_view token) const;
  awaitable<void> retire();
  awaitable<void> prune();

  Store& store_;
  const SessionTable& sessions_;
  const Clock& clock_;
  std::chrono::hours life_;
  mutable std::shared_mutex mutex_;
  std::vector<Entry> entries_;
  /// Verified tokens by their digests. A verification takes 0.1 ms, and clients send the same token with each request.
  mutable std::unordered_map<std::string, ApiTokenClaims> verified_;
};

}  // namespace swarm
