// Instance tokens: JSON payload, base64url, a signature over "<version>.<payload>".
#include "protocol/instance_token.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/diagnostics/check.h"
#include "base/error.h"
#include "base/id.h"
#include "protocol/ed25519.h"

namespace swarm {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestToken = 1024;
constexpr std::size_t kLongestSession = 128;

std::string_view versionOf(TokenAlgorithm algorithm) { return algorithm == TokenAlgorithm::Ed25519 ? "v2" : "v1"; }

struct Claims {
  std::string audience;
  std::string scope;
  std::string session;
  std::int64_t expiry = 0;  // seconds since the epoch
};

std::int64_t secondsOf(SystemTime time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }

const json::string* textAt(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value ? value->if_string() : nullptr;
}

/// Accepts exactly {"aud","scope","exp"} with their types, and "sid" where it is allowed; else empty.
std::optional<Claims> readClaims(std::string_view payload, TokenAlgorithm algorithm) {
  auto text = fromBase64Url(payload);
  if (!text) return std::nullopt;
  boost::system::error_code error;
  json::value value = json::parse(*text, error);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  const json::string* audience = textAt(object, "aud");
  const json::string* scope = textAt(object, "scope");
  const json::value* expiry = object.if_contains("exp");
  const json::string* session = algorithm == TokenAlgorithm::Ed25519 ? textAt(object, "sid") : nullptr;
  if (session && (session->empty() || session->size() > kLongestSession)) return std::nullopt;
  if (!audience || !scope || !expiry || !expiry->is_int64() || object.size() != (session ? 4U : 3U)) return std::nullopt;
  return Claims{std::string(*audience), std::string(*scope), session ? std::string(*session) : std::string(), expiry->get_int64()};
}

std::string signatureOf(const SigningKey& key, std::string_view text) {
  return key.algorithm == TokenAlgorithm::Ed25519 ? ed25519::sign(key.bytes, text) : hmacSha256(key.bytes.reveal(), text);
}

bool isSignedBy(const VerifyingKey& key, std::string_view text, std::string_view signature) {
  if (key.algorithm == TokenAlgorithm::Ed25519) return ed25519::verify(key.bytes.reveal(), text, signature);
  return !key.bytes.empty() && equalConstantTime(signature, hmacSha256(key.bytes.reveal(), text));
}

}  // namespace

std::string_view toString(TokenScope scope) {
  constexpr std::string_view names[] = {"status", "exec", "vscode", "port", "ssh", "files", "control"};  // in the order of TokenScope
  static_assert(std::size(names) == static_cast<std::size_t>(TokenScope::Control) + 1);
  return names[static_cast<std::size_t>(scope)];
}

std::string issuedScopeNames() {
  std::string names;
  for (TokenScope scope : kIssuedScopes) names += (names.empty() ? "" : ", ") + std::string(toString(scope));
  return names;
}

std::optional<TokenScope> issuedScopeFromString(std::string_view text) {
  const auto* found = std::ranges::find(kIssuedScopes, text, [](TokenScope scope) { return toString(scope); });
  if (found == std::end(kIssuedScopes)) return std::nullopt;
  return *found;
}

VerifyingKey verifyingKeyOf(const SigningKey& key) {
  if (key.algorithm == TokenAlgorithm::Hmac) return {key.algorithm, key.bytes};
  return {key.algorithm, Secret(ed25519::publicKeyOf(key.bytes))};
}

std::string signInstanceToken(const SigningKey& key, std::string_view instance_id, TokenScope scope, std::chrono::seconds ttl,
                              const Clock& clock, std::string_view session) {
  SWARM_CHECK(!key.bytes.empty());  // an empty key would sign for every caller
  std::int64_t expiry = secondsOf(clock.now()) + std::min(ttl, kLongestTokenLife).count();
  json::object claims{{"aud", instance_id}, {"scope", toString(scope)}, {"exp", expiry}};
  // Agents older than sessions refuse a fourth member.
  if (!session.empty() && key.algorithm == TokenAlgorithm::Ed25519) claims["sid"] = session;
  std::string token = std::string(versionOf(key.algorithm)) + "." + toBase64Url(json::serialize(claims));
  return token + "." + toBase64Url(signatureOf(key, token));
}

std::expected<TokenClaims, TokenFault> verifyInstanceToken(std::string_view token, const VerifyingKey& key, std::string_view instance_id,
                                                           TokenScope scope, const Clock& clock) {
  auto first = token.find('.');
  auto last = token.rfind('.');
  if (token.size() > kLongestToken || first == std::string_view::npos || first == last ||
      token.substr(0, first) != versionOf(key.algorithm) || token.find('.', first + 1) != last)
    return std::unexpected(TokenFault::Malformed);
  auto signature = fromBase64Url(token.substr(last + 1));
  if (!signature) return std::unexpected(TokenFault::Malformed);
  if (!isSignedBy(key, token.substr(0, last), *signature)) return std::unexpected(TokenFault::BadSignature);
  auto claims = readClaims(token.substr(first + 1, last - first - 1), key.algorithm);
  if (!claims) return std::unexpected(TokenFault::Malformed);
  if (claims->audience != instance_id) return std::unexpected(TokenFault::WrongAudience);
  if (secondsOf(clock.now()) >= claims->expiry) return std::unexpected(TokenFault::Expired);
  if (claims->scope != toString(scope)) return std::unexpected(TokenFault::WrongScope);
  return TokenClaims{std::move(claims->session)};
}

}  // namespace swarm
