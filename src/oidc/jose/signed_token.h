// A signed JSON Web Token (RFC 7519) of an identity provider, in compact form. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "oidc/jose/web_keys.h"

namespace swarm::oidc {

inline constexpr std::size_t kMaxTokenBytes = 32 * 1024;

/// What a token says, which nothing has verified yet: only the key that it names may be looked up.
class UnverifiedToken {
 public:
  /// Throws Error(UpstreamFailed) with what is wrong: malformed, too large, a repeated name, an algorithm that is not in the closed list,
  /// or a header whose extensions must be understood ("crit"). Keys and addresses in the header are never used.
  static UnverifiedToken parse(std::string_view text);

  SignatureAlgorithm algorithm() const { return algorithm_; }
  const std::string& keyId() const { return key_id_; }  ///< "kid"; may be empty
  const std::string& type() const { return type_; }     ///< "typ" in lower case; may be empty
  /// The claims, if `key` has signed them; otherwise nothing.
  std::optional<boost::json::object> claimsSignedBy(const WebKey& key) const;

 private:
  UnverifiedToken() = default;

  SignatureAlgorithm algorithm_{};
  std::string key_id_;
  std::string type_;
  std::string signed_;
  std::string signature_;
  boost::json::object claims_;
};

}  // namespace swarm::oidc
