// Public keys of an identity provider (RFC 7517), and the signatures that they verify (RFC 7518, RFC 8037). Pure.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;

namespace swarm::oidc {

/// The closed list. A shared secret (HS256) and "none" are not in it.
enum class SignatureAlgorithm { RS256, PS256, ES256, EdDSA };
std::optional<SignatureAlgorithm> algorithmFromName(std::string_view name);

/// Immutable.
class WebKey {
 public:
  /// One member of "keys". Nothing: a kind that no algorithm of the list uses, not for signatures, too weak, or malformed.
  static std::optional<WebKey> read(const boost::json::object& key);

  const std::string& id() const { return id_; }  ///< "kid"; may be empty
  bool fits(SignatureAlgorithm algorithm) const;
  bool verifies(SignatureAlgorithm algorithm, std::string_view message, std::string_view signature) const;

 private:
  enum class Kind { Rsa, P256, Ed25519 };
  WebKey(std::string id, Kind kind, std::optional<SignatureAlgorithm> only, evp_pkey_st* key);

  std::string id_;
  Kind kind_;
  std::optional<SignatureAlgorithm> only_;  ///< "alg"; nothing: each that fits the kind
  std::shared_ptr<evp_pkey_st> key_;
};

/// Immutable.
class WebKeySet {
 public:
  static constexpr std::size_t kMaxKeys = 64;

  WebKeySet() = default;
  /// Keys that this program cannot use are left out. Nothing: not a key set, or with more than kMaxKeys.
  static std::optional<WebKeySet> parse(std::string_view document);
  /// The key of a token. Null: unknown, or not decided. Without a `kid`, there must be only one that fits.
  const WebKey* find(SignatureAlgorithm algorithm, std::string_view kid) const;
  std::size_t size() const { return keys_.size(); }

 private:
  std::vector<WebKey> keys_;
};

}  // namespace swarm::oidc
