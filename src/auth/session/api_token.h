// API tokens: JSON Web Tokens (RFC 7519) with an Ed25519 signature (RFC 8037). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace swarm {

/// A key that signs API tokens. Immutable; thread-safe.
class ApiTokenKey {
 public:
  explicit ApiTokenKey(Secret seed);  ///< of ed25519::kSeedBytes

  /// A token's "kid": the thumbprint of the public key (RFC 7638).
  const std::string& id() const { return id_; }
  const std::string& publicKey() const { return public_key_; }  ///< raw
  const Secret& seed() const { return seed_; }
  /// The beginning of every token of this key: its header and the dot.
  const std::string& prefix() const { return prefix_; }
  /// The token with this payload.
  std::string sign(std::string_view payload) const;

 private:
  Secret seed_;
  std::string public_key_;
  std::string id_;
  std::string prefix_;
};

struct ApiTokenClaims {
  std::string issuer;          ///< "iss"
  std::string audience;        ///< "aud"
  std::string user;            ///< "sub"
  std::string session;         ///< "jti"
  std::int64_t issuedAt = 0;   ///< "iat", in seconds since the epoch, as are the following
  std::int64_t validFrom = 0;  ///< "nbf"
  std::int64_t expiresAt = 0;  ///< "exp"
  bool operator==(const ApiTokenClaims&) const = default;
};

std::string signApiToken(const ApiTokenKey& key, const ApiTokenClaims& claims);
/// The claims of a token that `key` signed; the caller checks their meaning. The token must be byte for byte what signApiToken() returns
/// for them: the algorithm that a header names is never used, and a payload with other, repeated or misspelt members is refused.
std::optional<ApiTokenClaims> readApiToken(const ApiTokenKey& key, std::string_view token);

}  // namespace swarm
