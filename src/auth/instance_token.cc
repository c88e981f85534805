// Instance tokens: JSON payload, base64url, HMAC-SHA-256 over "v1.<payload>".
#include "auth/instance_token.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/check.h"
#include "base/error.h"
#include "base/id.h"

namespace swarm {
namespace {

namespace json = boost::json;

constexpr std::string_view kVersion = "v1";
constexpr std::size_t kLongestToken = 1024;
constexpr std::chrono::seconds kLongestLife = std::chrono::hours(1);

struct Claims {
  std::string audience;
  std::string scope;
  std::int64_t expiry = 0;  // seconds since the epoch
};

std::int64_t secondsOf(SystemTime time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }

/// Exactly {"aud","scope","exp"} with their types; nothing otherwise.
std::optional<Claims> readClaims(std::string_view payload) {
  auto text = fromBase64Url(payload);
  if (!text) return std::nullopt;
  boost::system::error_code error;
  json::value value = json::parse(*text, error);
  if (error || !value.is_object() || value.get_object().size() != 3) return std::nullopt;
  const json::object& object = value.get_object();
  const json::value* audience = object.if_contains("aud");
  const json::value* scope = object.if_contains("scope");
  const json::value* expiry = object.if_contains("exp");
  if (!audience || !audience->is_string() || !scope || !scope->is_string() || !expiry || !expiry->is_int64()) return std::nullopt;
  return Claims{std::string(audience->get_string()), std::string(scope->get_string()), expiry->get_int64()};
}

}  // namespace

std::string_view toString(TokenScope scope) {
  switch (scope) {
    case TokenScope::Status:
      return "status";
    case TokenScope::Exec:
      return "exec";
    case TokenScope::Vscode:
      return "vscode";
    case TokenScope::Port:
      return "port";
    case TokenScope::Ssh:
      return "ssh";
    case TokenScope::Files:
      return "files";
  }
  SWARM_CHECK(false && "a scope without a name");
}

std::string signInstanceToken(const Secret& key, std::string_view instance_id, TokenScope scope, std::chrono::seconds ttl,
                              const Clock& clock) {
  SWARM_CHECK(!key.empty());  // an empty key would sign for everybody
  std::int64_t expiry = secondsOf(clock.now()) + std::min(ttl, kLongestLife).count();
  json::object claims{{"aud", instance_id}, {"scope", toString(scope)}, {"exp", expiry}};
  std::string token = std::string(kVersion) + "." + toBase64Url(json::serialize(claims));
  return token + "." + toBase64Url(hmacSha256(key.reveal(), token));
}

std::expected<void, TokenFault> verifyInstanceToken(std::string_view token, const Secret& key, std::string_view instance_id,
                                                    TokenScope scope, const Clock& clock) {
  auto first = token.find('.');
  auto last = token.rfind('.');
  if (token.size() > kLongestToken || first == std::string_view::npos || first == last || token.substr(0, first) != kVersion ||
      token.find('.', first + 1) != last)
    return std::unexpected(TokenFault::Malformed);
  auto signature = fromBase64Url(token.substr(last + 1));
  if (!signature) return std::unexpected(TokenFault::Malformed);
  if (key.empty() || !equalConstantTime(*signature, hmacSha256(key.reveal(), token.substr(0, last))))
    return std::unexpected(TokenFault::BadSignature);
  auto claims = readClaims(token.substr(first + 1, last - first - 1));
  if (!claims) return std::unexpected(TokenFault::Malformed);
  if (claims->audience != instance_id) return std::unexpected(TokenFault::WrongAudience);
  if (secondsOf(clock.now()) >= claims->expiry) return std::unexpected(TokenFault::Expired);
  if (claims->scope != toString(scope)) return std::unexpected(TokenFault::WrongScope);
  return {};
}

}  // namespace swarm
