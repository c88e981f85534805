// Keys of an identity provider, with which a test signs tokens.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace swarm::oidc::testing {

/// "RS256", "PS256", "ES256", "EdDSA" or "HS256" (signs with the text of the public key, as in an attack by a confusion of algorithms).
class TestKey {
 public:
  explicit TestKey(std::string kid, std::string algorithm = "RS256", int rsa_bits = 2048);

  boost::json::object publicKey() const;  ///< a member of "keys"
  std::string sign(const boost::json::object& claims) const;
  /// With this header and payload, as texts.
  std::string signText(std::string_view header, std::string_view payload) const;
  std::string header() const;
  const std::string& kid() const { return kid_; }

 private:
  std::string kid_;
  std::string algorithm_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace swarm::oidc::testing
