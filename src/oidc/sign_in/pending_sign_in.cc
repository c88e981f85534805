#include "oidc/sign_in/pending_sign_in.h"

#include "auth/session/jwt.h"
#include "base/id.h"
#include "base/text/json_access.h"
#include "oidc/jose/strict_json.h"

namespace swarm::oidc {
namespace {

constexpr std::string_view kAudience = "swarm-oidc";
constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kMaxNext = 1800;  // with the rest, the cookie stays below the 4096 bytes that browsers keep

}  // namespace

PendingSignIn PendingSignIn::begin(std::string provider, std::string next) {
  const auto random = [] { return toBase64Url(randomBytes(kRandomBytes)); };
  if (next.size() > kMaxNext) next = "/";
  return {.provider = std::move(provider), .state = random(), .nonce = random(), .verifier = random(), .next = std::move(next)};
}

std::string PendingSignIn::challenge() const { return toBase64Url(sha256(verifier)); }

std::string sealPending(const PendingSignIn& pending, const Secret& key, SystemTime now) {
  return signJwt(key, {{"aud", kAudience},
                       {"provider", pending.provider},
                       {"state", pending.state},
                       {"nonce", pending.nonce},
                       {"verifier", pending.verifier},
                       {"next", pending.next},
                       {"exp", toNumericDate(now + kSignInLife)}});
}

std::optional<PendingSignIn> openPending(std::string_view value, const Secret& key, SystemTime now) {
  const auto claims = value.empty() ? std::nullopt : verifyJwt(key, value);
  if (!claims || stringIn(*claims, "aud") != kAudience || integerAt(boost::json::value(*claims), "exp") <= toNumericDate(now))
    return std::nullopt;
  return PendingSignIn{.provider = stringIn(*claims, "provider"),
                       .state = stringIn(*claims, "state"),
                       .nonce = stringIn(*claims, "nonce"),
                       .verifier = stringIn(*claims, "verifier"),
                       .next = stringIn(*claims, "next")};
}

}  // namespace swarm::oidc
