// The part of the registry's v2 protocol that queries a manifest.
#include "provider/flyio/check/image_check.h"

#include "base/id.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "base/text/untrusted_text.h"
#include "net/http/http_client.h"
#include "provider/flyio/api/machines_client.h"

namespace swarm::flyio {
namespace {

constexpr std::string_view kFlyRegistry = "registry.fly.io";
constexpr std::string_view kDefaultRegistry = "docker.io";  // of names without one; its API is at registry-1.
constexpr std::string_view kManifests =
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";
constexpr std::chrono::seconds kMaxRegistryTime{20};

boost::asio::awaitable<net::HttpResponse> query(RegistryAccess access, std::string method, std::string target, net::Headers headers,
                                                Deadline deadline) {
  net::HttpClient client(connectorTo(access.url, access.tls), {.host = access.url.authority(), .name = access.url.authority()});
  net::HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = std::move(headers);
  co_return co_await client.send(std::move(request), deadline.orAfter(kMaxRegistryTime));
}

std::string quoted(std::string_view header, std::string_view key) {
  std::string wanted = format("{}=\"", key);
  auto at = header.find(wanted);
  if (at == std::string_view::npos) return {};
  std::string_view rest = header.substr(at + wanted.size());
  return std::string(rest.substr(0, rest.find('"')));
}

/// An anonymous pull token of a registry that requires one.
boost::asio::awaitable<std::string> pullToken(RegistryChallenge challenge, std::shared_ptr<net::TlsContext> tls, Deadline deadline) {
  std::optional<net::Url> url = net::parseUrl(challenge.realm);
  if (!url)
    throw Error(ErrorCode::Unprocessable, format("The registry's address for tokens is not a URL: \"{}\".", printable(challenge.realm)));
  std::string target = url->target.empty() ? "/" : url->target;
  target += format("?service={}&scope={}", net::percentEncode(challenge.service), net::percentEncode(challenge.scope));
  net::HttpResponse response = co_await query({std::move(*url), {}, std::move(tls)}, "GET", std::move(target), {}, deadline);
  json::value parsed = parseOrNull(response.body);
  std::string token = stringAt(parsed, "token");
  co_return token.empty() ? stringAt(parsed, "access_token") : token;
}

}  // namespace

ImageName parseImage(const std::string& image) {
  ImageName name;
  std::string rest = image;
  auto slash = rest.find('/');
  std::string first = rest.substr(0, slash);
  bool has_registry = slash != std::string::npos && (first.find_first_of(".:") != std::string::npos || first == "localhost");
  name.registry = has_registry ? first : std::string(kDefaultRegistry);
  if (has_registry) rest = rest.substr(slash + 1);
  auto at = rest.find('@');
  auto colon = rest.rfind(':', at == std::string::npos ? std::string::npos : at);
  if (at != std::string::npos) {
    name.reference = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (auto tag = rest.rfind(':'); tag != std::string::npos) rest = rest.substr(0, tag);
  } else if (colon != std::string::npos && rest.find('/', colon) == std::string::npos) {
    name.reference = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  } else {
    name.reference = "latest";
  }
  name.repository = !has_registry && rest.find('/') == std::string::npos ? "library/" + rest : rest;
  return name;
}

std::string withoutDigest(const std::string& image) { return image.substr(0, image.find('@')); }

bool isOtherImage(const std::string& present, const std::string& wanted) {
  auto digest_of = [](const std::string& image) { return image.substr(std::min(image.find('@'), image.size())); };
  std::string digest = digest_of(present), other = digest_of(wanted);
  if (!digest.empty() && !other.empty()) return digest != other;
  ImageName name = parseImage(withoutDigest(present)), now = parseImage(withoutDigest(wanted));
  return name.registry != now.registry || name.repository != now.repository || name.reference != now.reference;
}

RegistryChallenge parseChallenge(std::string_view header) {
  if (!header.starts_with("Bearer ")) return {};
  return {quoted(header, "realm"), quoted(header, "service"), quoted(header, "scope")};
}

std::string registryPassword(const std::string& token) {
  auto space = token.find(' ');
  bool has_scheme = space != std::string::npos && (token.starts_with("FlyV1 ") || token.starts_with("Bearer "));
  return has_scheme ? token.substr(space + 1) : token;
}

boost::asio::awaitable<bool> hasManifest(ImageName name, RegistryAccess access, Deadline deadline) {
  std::string target = format("/v2/{}/manifests/{}", name.repository, name.reference);
  net::Headers headers{{"Accept", std::string(kManifests)}};
  if (!access.login.empty()) headers.push_back({"Authorization", "Basic " + toBase64(access.login)});
  net::HttpResponse response = co_await query(access, "HEAD", target, headers, deadline);
  RegistryChallenge challenge = parseChallenge(net::findHeader(response.headers, "www-authenticate"));
  if (response.status == 401 && access.login.empty() && challenge.realm.starts_with("https://")) {
    std::string token = co_await pullToken(std::move(challenge), access.tls, deadline);
    headers.push_back({"Authorization", "Bearer " + token});
    response = co_await query(access, "HEAD", target, headers, deadline);
  }
  if (response.status == 200) co_return true;
  if (response.status == 404) co_return false;
  throw Error(ErrorCode::Unprocessable, format("{} refused {}:{} (status {}). Fly needs a public image, or one at {}.", name.registry,
                                               name.repository, name.reference, response.status, kFlyRegistry));
}

boost::asio::awaitable<std::string> checkImage(std::string image, const FlySwarm& swarm, Deadline deadline) {
  const FlyIOProviderConfig& config = swarm.config;
  if (config.apiBaseUrl != FlyIOProviderConfig{}.apiBaseUrl) {
    co_return format("{} (not checked: {} is not Fly itself)", image, config.apiBaseUrl);
  }
  ImageName name = parseImage(image);
  if (name.registry.starts_with("localhost") || name.registry.starts_with("127.")) {
    throw Error(ErrorCode::Unprocessable, format("Fly cannot pull {}: its registry is on this machine.", image));
  }
  std::string host = name.registry == kDefaultRegistry ? format("registry-1.{}", name.registry) : name.registry;
  RegistryAccess access{serverUrl("https://" + host, "workspaceImage"), {}, swarm.tls};
  if (name.registry == kFlyRegistry) access.login = "x:" + registryPassword(swarm.token.current().reveal());
  if (co_await hasManifest(name, std::move(access), deadline)) co_return image + " can be pulled";
  throw Error(ErrorCode::Unprocessable, format("{} has no image {}: push it (images/workspace/push).", name.registry, image));
}

}  // namespace swarm::flyio
