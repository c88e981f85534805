// What the fuzz target checks of one input; a unit test replays the corpus through it. A broken invariant ends the process.
#pragma once

#include <boost/json/serialize.hpp>
#include <string>
#include <string_view>

#include "base/diagnostics/check.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/untrusted_text.h"
#include "oidc/jose/signed_token.h"
#include "oidc/jose/strict_json.h"
#include "oidc/provider/claim_mapping.h"
#include "oidc/provider/endpoints.h"
#include "oidc/provider/token_claims.h"

namespace swarm {

inline oidc::ProviderConfig fuzzedProvider() {
  oidc::ProviderConfig config;
  config.name = config.title = "corp";
  config.issuer = "https://id.example.com";
  config.issuerUrl = *net::parseUrl(config.issuer);
  config.clientId = "swarm";
  config.roles = {{"ops", Role::operator_}};
  config.allowedDomains = {"example.com"};
  return config;
}

/// The input as each document and token of a provider.
inline void fuzzOidc(std::string_view input) {
  static const oidc::ProviderConfig config = fuzzedProvider();
  static const auto none =
      oidc::WebKeySet::parse(R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
  const auto refused = [](auto read) {
    try {
      read();
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  const auto check = [&](std::string_view text) {
    refused([&] {
      const auto token = oidc::UnverifiedToken::parse(text);
      if (const auto* key = none->find(token.algorithm(), token.keyId())) SWARM_CHECK(!token.claimsSignedBy(*key));
    });
  };
  check(input);
  check(toBase64Url(input) + "." + toBase64Url("{}") + ".AAAA");
  check(toBase64Url(R"({"alg":"EdDSA"})") + "." + toBase64Url(input) + ".AAAA");
  refused([&] {
    const auto endpoints = oidc::readEndpoints(input, config);
    SWARM_CHECK(endpoints.token.tls && endpoints.keys.tls && endpoints.token.host == "id.example.com");
  });
  if (const auto keys = oidc::WebKeySet::parse(input)) SWARM_CHECK(keys->size() <= oidc::WebKeySet::kMaxKeys);
  const auto object = oidc::parseStrictObject(input);
  if (!object) return;
  const auto mapped = oidc::mapClaims(*object, config);
  SWARM_CHECK(mapped.userName.size() <= oidc::kMaxUserName);
  SWARM_CHECK(mapped.refusal || mapped.email.ends_with("@example.com"));
  const std::string shown = boost::json::serialize(oidc::shownClaims(*object));
  SWARM_CHECK(shown.size() <= 8 * 1024 + 16);
  static const auto token = oidc::UnverifiedToken::parse(toBase64Url(R"({"alg":"EdDSA"})") + "." + toBase64Url("{}") + ".AAAA");
  refused([&] { oidc::requireIdToken(token, *object, config, "n", SystemTime(std::chrono::seconds(1'700'000'000))); });
  refused([&] { oidc::requireLogoutToken(token, *object, config, SystemTime(std::chrono::seconds(1'700'000'000))); });
}

}  // namespace swarm
