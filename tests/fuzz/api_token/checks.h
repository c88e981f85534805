// What the fuzz target checks of one input; a unit test replays the corpus through it. A broken invariant ends the process.
#pragma once

#include <string>
#include <string_view>

#include "auth/session/api_token.h"
#include "auth/session/jwt.h"
#include "base/diagnostics/check.h"
#include "base/id.h"

namespace swarm {

/// The input as a token, which no key signed, and as the payload of tokens with a valid signature.
inline void fuzzApiToken(std::string_view input) {
  static const ApiTokenKey key(Secret(std::string(32, 'f')));
  static const Secret secret(std::string(32, 'f'));
  SWARM_CHECK(!readApiToken(key, input) && !verifyJwt(secret, input));

  const std::string token = key.sign(input);
  if (const auto claims = readApiToken(key, token)) SWARM_CHECK(signApiToken(key, *claims) == token);

  const std::string signed_part = toBase64Url(R"({"alg":"HS256","typ":"JWT"})") + "." + toBase64Url(input);
  verifyJwt(secret, signed_part + "." + toBase64Url(hmacSha256(secret.reveal(), signed_part)));
}

}  // namespace swarm
