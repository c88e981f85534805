#include "oidc/provider/endpoints.h"

#include <algorithm>

#include "base/error.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "base/text/untrusted_text.h"
#include "oidc/jose/strict_json.h"

namespace swarm::oidc {
namespace {

constexpr std::size_t kMaxUrl = 2048;
constexpr std::size_t kMaxShownHost = 128;
constexpr std::string_view kWellKnown = "/.well-known/openid-configuration";

/// Who sends requests there.
enum class Caller { Browser, Server };

[[noreturn]] void refuseDocument(const ProviderConfig& config, std::string_view what) {
  throw Error(ErrorCode::UpstreamFailed, format("The description of the identity provider {} {}.", config.title, what));
}

bool isAllowedHost(const net::Url& url, const ProviderConfig& config) {
  if (url.tls == config.issuerUrl.tls && url.authority() == config.issuerUrl.authority()) return true;
  return std::ranges::find(config.endpointHosts, url.authority()) != config.endpointHosts.end();
}

std::optional<net::Url> urlAt(const boost::json::object& document, std::string_view name, Caller caller, const ProviderConfig& config) {
  if (!document.contains(name)) return std::nullopt;
  const std::string text = stringIn(document, name);
  const auto url = text.size() <= kMaxUrl ? net::parseUrl(text) : std::nullopt;
  if (!url) refuseDocument(config, format("has no usable {}", name));
  const bool is_local_too = !config.issuerUrl.tls && isLoopback(url->host);
  if (!url->tls && !is_local_too) refuseDocument(config, format("has a {} without https", name));
  if (caller == Caller::Server && !isAllowedHost(*url, config))
    refuseDocument(config, format("has a {} at {}, which is neither the issuer's host nor in endpointHosts", name,
                                  printable(url->authority(), kMaxShownHost)));
  return url;
}

net::Url requireUrl(const boost::json::object& document, std::string_view name, Caller caller, const ProviderConfig& config) {
  const auto url = urlAt(document, name, caller, config);
  if (!url) refuseDocument(config, format("has no {}", name));
  return *url;
}

}  // namespace

bool isLoopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

net::Url discoveryUrl(const ProviderConfig& config) {
  net::Url url = config.issuerUrl;
  while (url.target.ends_with('/')) url.target.pop_back();
  url.target += kWellKnown;
  return url;
}

Endpoints readEndpoints(std::string_view text, const ProviderConfig& config) {
  const auto document = parseStrictObject(text);
  if (!document) refuseDocument(config, "is not a JSON object without repeated names");
  if (const std::string issuer = stringIn(*document, "issuer"); issuer != config.issuer)
    refuseDocument(config, format("names the issuer \"{}\", the configuration \"{}\"", printable(issuer, kMaxShownHost), config.issuer));
  Endpoints endpoints{.authorization = requireUrl(*document, "authorization_endpoint", Caller::Browser, config),
                      .endSession = urlAt(*document, "end_session_endpoint", Caller::Browser, config),
                      .token = requireUrl(*document, "token_endpoint", Caller::Server, config),
                      .keys = requireUrl(*document, "jwks_uri", Caller::Server, config)};
  const auto methods = textsAt(boost::json::value(*document), "token_endpoint_auth_methods_supported");
  const auto has = [&](std::string_view name) { return std::ranges::find(methods, name) != methods.end(); };
  if (has("client_secret_post") && !has("client_secret_basic")) endpoints.proof = ClientProof::Post;
  endpoints.namesIssuer = boolAt(boost::json::value(*document), "authorization_response_iss_parameter_supported");
  return endpoints;
}

}  // namespace swarm::oidc
