#include "oidc/provider/token_claims.h"

#include <algorithm>

#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "base/text/untrusted_text.h"
#include "oidc/jose/strict_json.h"

namespace swarm::oidc {
namespace {

namespace json = boost::json;

constexpr std::string_view kLogoutEvent = "http://schemas.openid.net/event/backchannel-logout";
constexpr std::string_view kLogoutType = "logout+jwt";
constexpr std::size_t kMaxSubject = 255;
constexpr std::size_t kMaxAudiences = 32;

[[noreturn]] void refuseToken(const ProviderConfig& config, std::string_view what) {
  throw Error(ErrorCode::UpstreamFailed, format("The token of the identity provider {} {}.", config.title, what));
}

/// An identifier as the provider wrote it, if it can be stored, compared and displayed.
bool isIdentifier(const std::string& text) { return !text.empty() && text.size() <= kMaxSubject && printable(text) == text; }

void requireAudience(const json::object& claims, const ProviderConfig& config) {
  const json::value* audience = claims.if_contains("aud");
  const json::array* several = audience == nullptr ? nullptr : audience->if_array();
  bool is_ours = audience != nullptr && audience->is_string() && audience->get_string() == config.clientId;
  if (several != nullptr && several->size() <= kMaxAudiences)
    is_ours = std::ranges::any_of(*several, [&](const json::value& one) { return one.is_string() && one.get_string() == config.clientId; });
  if (!is_ours) refuseToken(config, "is for another audience");
  // One that is for others, too, was requested by the authorized party.
  const bool has_party = claims.contains("azp");
  if (has_party ? stringIn(claims, "azp") != config.clientId : several != nullptr && several->size() > 1)
    refuseToken(config, "was issued for another authorized party");
}

/// Returns "iat".
std::int64_t requireTimes(const json::object& claims, const ProviderConfig& config, SystemTime now) {
  const std::int64_t seconds = toNumericDate(now), skew = kClockSkew.count();
  const auto issued = numericDate(claims, "iat"), expires = numericDate(claims, "exp");
  if (!issued) refuseToken(config, "has no time of issue");
  if (*issued > seconds + skew) refuseToken(config, "was issued in the future: compare the clocks of both machines");
  if (*issued + std::chrono::seconds(kMaxTokenAge).count() + skew < seconds) refuseToken(config, "was issued too long ago");
  if (claims.contains("exp") && (!expires || *expires + skew <= seconds)) refuseToken(config, "has expired");
  if (const auto from = numericDate(claims, "nbf"); claims.contains("nbf") && (!from || *from > seconds + skew))
    refuseToken(config, "is not valid yet");
  return *issued;
}

void requireIssuer(const json::object& claims, const ProviderConfig& config) {
  if (stringIn(claims, "iss") != config.issuer) refuseToken(config, "has another issuer");
}

}  // namespace

void requireIdToken(const UnverifiedToken& token, const json::object& claims, const ProviderConfig& config, std::string_view nonce,
                    SystemTime now) {
  if (!token.type().empty() && token.type() != "jwt") refuseToken(config, "is not an identity token");
  requireIssuer(claims, config);
  requireAudience(claims, config);
  if (!claims.contains("exp")) refuseToken(config, "has no expiry");
  requireTimes(claims, config, now);
  if (nonce.empty() || !equalConstantTime(stringIn(claims, "nonce"), nonce)) refuseToken(config, "belongs to another sign-in");
  if (claims.contains("events")) refuseToken(config, "is not an identity token");
  if (!isIdentifier(stringIn(claims, "sub"))) refuseToken(config, "names no subject");
}

LogoutNotice requireLogoutToken(const UnverifiedToken& token, const json::object& claims, const ProviderConfig& config, SystemTime now) {
  if (!token.type().empty() && token.type() != "jwt" && token.type() != kLogoutType) refuseToken(config, "is not a logout token");
  requireIssuer(claims, config);
  requireAudience(claims, config);
  const std::int64_t issued = requireTimes(claims, config, now);
  const json::value* events = claims.if_contains("events");
  const json::value* event = events != nullptr && events->is_object() ? events->get_object().if_contains(kLogoutEvent) : nullptr;
  // A nonce marks an identity token, which must not end sessions.
  if (event == nullptr || !event->is_object() || claims.contains("nonce")) refuseToken(config, "is not a logout token");
  LogoutNotice notice{.id = stringIn(claims, "jti"),
                      .subject = stringIn(claims, "sub"),
                      .session = stringIn(claims, "sid"),
                      .issuedAt = SystemTime(std::chrono::seconds(issued))};
  if (!isIdentifier(notice.id)) refuseToken(config, "has no identifier");
  const bool is_fit = (notice.subject.empty() || isIdentifier(notice.subject)) && (notice.session.empty() || isIdentifier(notice.session));
  if (!is_fit || (notice.subject.empty() && notice.session.empty())) refuseToken(config, "names neither a subject nor a session");
  return notice;
}

}  // namespace swarm::oidc
