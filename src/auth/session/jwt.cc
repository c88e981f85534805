// Signing and verification of tokens.
#include "auth/session/jwt.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/diagnostics/check.h"
#include "base/id.h"

namespace swarm {
namespace {

namespace json = boost::json;

constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::size_t kMaxTokenBytes = 4096;

}  // namespace

std::string signJwt(const Secret& key, const json::object& claims) {
  SWARM_CHECK(!key.empty());
  std::string signed_part = toBase64Url(kHeader) + "." + toBase64Url(json::serialize(claims));
  return signed_part + "." + toBase64Url(hmacSha256(key.reveal(), signed_part));
}

std::optional<json::object> verifyJwt(const Secret& key, std::string_view token) {
  // Only our own header, byte for byte: the algorithm that a token names is never used.
  static const std::string prefix = toBase64Url(kHeader) + ".";
  if (key.empty() || token.size() > kMaxTokenBytes || !token.starts_with(prefix)) return std::nullopt;
  auto last = token.rfind('.');
  if (last < prefix.size()) return std::nullopt;
  auto signature = fromBase64Url(token.substr(last + 1));
  if (!signature || !equalConstantTime(*signature, hmacSha256(key.reveal(), token.substr(0, last)))) return std::nullopt;
  auto text = fromBase64Url(token.substr(prefix.size(), last - prefix.size()));
  if (!text) return std::nullopt;
  boost::system::error_code error;
  json::value claims = json::parse(*text, error);
  if (error || !claims.is_object()) return std::nullopt;
  return std::move(claims.get_object());
}

}  // namespace swarm
