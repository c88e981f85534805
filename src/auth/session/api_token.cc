#include "auth/session/api_token.h"

#include <boost/json/serialize.hpp>

#include "base/id.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "protocol/ed25519.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxApiTokenBytes = 4096;

/// RFC 7638 §3: the required members of the public key in lexicographic order, without white space.
std::string thumbprintOf(std::string_view public_key) {
  return toBase64Url(sha256(format(R"({{"crv":"Ed25519","kty":"OKP","x":"{}"}})", toBase64Url(public_key))));
}

std::string payloadOf(const ApiTokenClaims& claims) {
  return boost::json::serialize(boost::json::object{{"iss", claims.issuer},
                                                    {"aud", claims.audience},
                                                    {"sub", claims.user},
                                                    {"jti", claims.session},
                                                    {"iat", claims.issuedAt},
                                                    {"nbf", claims.validFrom},
                                                    {"exp", claims.expiresAt}});
}

}  // namespace

ApiTokenKey::ApiTokenKey(Secret seed)
    : seed_(std::move(seed)),
      public_key_(ed25519::publicKeyOf(seed_)),
      id_(thumbprintOf(public_key_)),
      prefix_(toBase64Url(format(R"({{"alg":"EdDSA","kid":"{}","typ":"JWT"}})", id_)) + ".") {}

std::string ApiTokenKey::sign(std::string_view payload) const {
  const std::string signed_part = prefix_ + toBase64Url(payload);
  return signed_part + "." + toBase64Url(ed25519::sign(seed_, signed_part));
}

std::string signApiToken(const ApiTokenKey& key, const ApiTokenClaims& claims) { return key.sign(payloadOf(claims)); }

std::optional<ApiTokenClaims> readApiToken(const ApiTokenKey& key, std::string_view token) {
  if (token.size() > kMaxApiTokenBytes || !token.starts_with(key.prefix())) return std::nullopt;
  const auto end = token.rfind('.');
  if (end < key.prefix().size()) return std::nullopt;
  const auto signature = fromBase64Url(token.substr(end + 1));
  if (!signature || !ed25519::verify(key.publicKey(), token.substr(0, end), *signature)) return std::nullopt;
  const std::string_view encoded = token.substr(key.prefix().size(), end - key.prefix().size());
  const boost::json::value payload = parseOrNull(fromBase64Url(encoded).value_or(""));
  ApiTokenClaims claims{.issuer = stringAt(payload, "iss"),
                        .audience = stringAt(payload, "aud"),
                        .user = stringAt(payload, "sub"),
                        .session = stringAt(payload, "jti"),
                        .issuedAt = integerAt(payload, "iat"),
                        .validFrom = integerAt(payload, "nbf"),
                        .expiresAt = integerAt(payload, "exp")};
  if (encoded != toBase64Url(payloadOf(claims))) return std::nullopt;
  return claims;
}

}  // namespace swarm
