// PendingSignIn: a sign-in between the browser's departure to a provider and its return. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"

namespace swarm::oidc {

inline constexpr std::chrono::minutes kSignInLife{10};

/// It is in a cookie of the browser that began it, not in the server's memory, which a flood of requests could fill.
struct PendingSignIn {
  std::string provider;
  std::string state;     ///< of the authorization request: returns with the response
  std::string nonce;     ///< returns in the identity token
  std::string verifier;  ///< of PKCE (RFC 7636)
  std::string next;      ///< local path to continue to

  /// With a fresh state, nonce and verifier.
  static PendingSignIn begin(std::string provider, std::string next);
  std::string challenge() const;  ///< S256 of the verifier
};

/// The cookie's value, valid for kSignInLife.
std::string sealPending(const PendingSignIn& pending, const Secret& key, SystemTime now);
/// Nothing: not made with this key, or expired.
std::optional<PendingSignIn> openPending(std::string_view value, const Secret& key, SystemTime now);

}  // namespace swarm::oidc
