#include "auth/session/session_credentials.h"

#include "auth/session/jwt.h"
#include "base/id.h"
#include "base/text/format.h"
#include "base/text/json_access.h"

namespace swarm {
namespace {

namespace json = boost::json;

constexpr std::string_view kKeySecret = "auth.key";
constexpr std::string_view kApiAudience = "swarm-api";
constexpr std::string_view kBrowserAudience = "swarm-browser";
constexpr std::string_view kInstanceAudience = "swarm-instance:";
constexpr std::chrono::seconds kClockLeeway{60};  // the system's clock may have been set back since a token was issued

std::int64_t secondsOf(SystemTime time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }

std::string instanceAudience(std::string_view instance_id) { return std::string(kInstanceAudience) + std::string(instance_id); }

auto is(std::string_view expected) {
  return [expected](std::string_view audience) { return audience == expected; };
}

}  // namespace

awaitable<void> SessionCredentials::load() {
  auto text = co_await parts_.store.getSecret(std::string(kKeySecret));
  if (!text) {
    text = Secret(toHex(randomBytes(32)));
    co_await parts_.store.putSecret(std::string(kKeySecret), *text);
  }
  // One secret, one derived key per use: a cookie can never pass as a token.
  std::string key = fromHex(text->reveal()).value_or("");
  if (key.size() < 32) throw Error(ErrorCode::Unprocessable, "The signing key in the store is damaged.");
  former_api_key_ = Secret(hmacSha256(key, "api token"));
  cookie_key_ = Secret(hmacSha256(key, "instance cookie"));
}

Secret SessionCredentials::apiToken(const Principal& principal) const {
  const std::int64_t now = secondsOf(parts_.clock.now());
  return Secret(parts_.keys.sign({.issuer = parts_.issuer,
                                  .audience = std::string(kApiAudience),
                                  .user = principal.user,
                                  .session = principal.sessionId,
                                  .issuedAt = now,
                                  .validFrom = now,
                                  .expiresAt = secondsOf(principal.expiresAt)}));
}

std::optional<Principal> SessionCredentials::verifyApiToken(std::string_view token) const {
  const auto verified = parts_.keys.verify(token);
  // Of a version before Ed25519: signed with HS256, before there was a key of Ed25519.
  if (!verified) return verify(token, former_api_key_, is(kApiAudience), parts_.keys.since());
  const ApiTokenClaims& claims = verified->claims;
  const std::int64_t now = secondsOf(parts_.clock.now());
  if (claims.issuer != parts_.issuer || claims.audience != kApiAudience) return std::nullopt;
  if (now + kClockLeeway.count() < claims.validFrom || now >= claims.expiresAt) return std::nullopt;
  if (!isOfBefore(verified->signedUntil, claims.issuedAt, claims.session)) return std::nullopt;
  return parts_.sessions.find(claims.session, claims.user);
}

std::string SessionCredentials::sessionCookie(const Principal& principal) const { return sign(principal, kBrowserAudience); }

std::optional<Principal> SessionCredentials::verifySessionCookie(std::string_view value) const {
  return verify(value, cookie_key_, is(kBrowserAudience));
}

std::string SessionCredentials::instanceCookie(const Principal& principal, std::string_view instance_id) const {
  return sign(principal, instanceAudience(instance_id));
}

std::optional<Principal> SessionCredentials::verifyInstanceCookie(std::string_view value, std::string_view instance_id) const {
  return verify(value, cookie_key_, [&](std::string_view audience) { return audience == instanceAudience(instance_id); });
}

std::optional<Principal> SessionCredentials::verifyAnyInstanceCookie(std::string_view value) const {
  return verify(value, cookie_key_, [](std::string_view audience) { return audience.starts_with(kInstanceAudience); });
}

std::string SessionCredentials::markOf(std::string_view audience) const {
  return toBase64Url(hmacSha256(cookie_key_.reveal(), format("mark of {}", audience)).substr(0, 16));
}

std::string SessionCredentials::sign(const Principal& principal, std::string_view audience) const {
  return signJwt(cookie_key_, {{"sub", principal.user},
                               {"role", nameOf(principal.role)},
                               {"jti", principal.sessionId},
                               {"aud", audience},
                               {"iat", secondsOf(parts_.clock.now())},
                               {"exp", secondsOf(principal.expiresAt)}});
}

/// Whether a token may have been issued before its key was replaced: a replaced key signs nothing later, nor for later sessions.
bool SessionCredentials::isOfBefore(SystemTime replaced, std::int64_t issued_at, std::string_view session_id) const {
  if (replaced == SystemTime::max()) return true;
  const auto session = parts_.sessions.record(session_id);
  return session && issued_at <= secondsOf(replaced + kClockLeeway) && session->createdAt <= replaced + kClockLeeway;
}

template <std::predicate<std::string_view> Audience>
std::optional<Principal> SessionCredentials::verify(std::string_view token, const Secret& key, Audience is_audience,
                                                    SystemTime replaced) const {
  auto claims = verifyJwt(key, token);
  if (!claims || !is_audience(stringIn(*claims, "aud"))) return std::nullopt;
  const json::value* expiry = claims->if_contains("exp");
  if (!expiry || !expiry->is_int64() || secondsOf(parts_.clock.now()) >= expiry->get_int64()) return std::nullopt;
  const std::string session(stringIn(*claims, "jti"));
  const json::value* issued = claims->if_contains("iat");
  if (!isOfBefore(replaced, issued && issued->is_int64() ? issued->get_int64() : INT64_MAX, session)) return std::nullopt;
  return parts_.sessions.find(session, stringIn(*claims, "sub"));
}

}  // namespace swarm
