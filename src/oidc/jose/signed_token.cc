#include "oidc/jose/signed_token.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "base/text/untrusted_text.h"
#include "oidc/jose/strict_json.h"

namespace swarm::oidc {
namespace {

constexpr std::size_t kMaxHeaderBytes = 4 * 1024;
constexpr std::size_t kMaxSignatureBytes = 1024;
constexpr std::size_t kMaxShown = 32;

[[noreturn]] void refuse(std::string_view what) {
  throw Error(ErrorCode::UpstreamFailed, format("The token of the identity provider {}.", what));
}

boost::json::object objectOf(std::string_view part, std::string_view what) {
  const auto text = fromBase64Url(part);
  auto object = text ? parseStrictObject(*text) : std::nullopt;
  if (!object) refuse(format("has {} that is not a JSON object without repeated names", what));
  return std::move(*object);
}

}  // namespace

UnverifiedToken UnverifiedToken::parse(std::string_view text) {
  if (text.size() > kMaxTokenBytes) refuse(format("has more than {} bytes", kMaxTokenBytes));
  if (std::ranges::count(text, '.') != 2) refuse("does not have three parts");
  const auto first = text.find('.'), last = text.rfind('.');
  if (first > kMaxHeaderBytes) refuse("has a very large header");
  const auto header = objectOf(text.substr(0, first), "a header");
  UnverifiedToken token;
  const std::string algorithm = stringIn(header, "alg");
  const auto known = algorithmFromName(algorithm);
  if (!known) refuse(format("has the algorithm \"{}\"; accepted are RS256, PS256, ES256 and EdDSA", printable(algorithm, kMaxShown)));
  if (header.contains("crit") || header.contains("b64") || header.contains("enc")) refuse("requires an extension that is not supported");
  token.algorithm_ = *known;
  token.key_id_ = stringIn(header, "kid");
  token.type_ = stringIn(header, "typ");
  std::ranges::transform(token.type_, token.type_.begin(), [](unsigned char c) { return std::tolower(c); });
  token.signed_ = text.substr(0, last);
  token.signature_ = fromBase64Url(text.substr(last + 1)).value_or("");
  if (token.signature_.empty() || token.signature_.size() > kMaxSignatureBytes) refuse("has no valid signature");
  token.claims_ = objectOf(text.substr(first + 1, last - first - 1), "a payload");
  return token;
}

std::optional<boost::json::object> UnverifiedToken::claimsSignedBy(const WebKey& key) const {
  if (!key.verifies(algorithm_, signed_, signature_)) return std::nullopt;
  return claims_;
}

}  // namespace swarm::oidc
