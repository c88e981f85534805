#include "auth/browser/browser_session.h"

#include "base/text/untrusted_text.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxClient = 256;
constexpr std::int64_t kDeviceSeconds = 400LL * 24 * 3600;  // browsers keep no cookie for longer

}  // namespace

BrowserSession::BrowserSession(PublicAddress address, TrustedProxies proxies, Auth& auth, const Clock& clock)
    : address_(std::move(address)),
      proxies_(std::move(proxies)),
      names_(makeCookieNames(address_.hostAndPort(), address_.hasSecureCookies())),
      auth_(auth),
      clock_(clock) {}

bool BrowserSession::isBaseHost(const net::RequestHead& head) const {
  auto host = head.host;
  if (host.ends_with('.')) host.remove_suffix(1);
  return net::equalsIgnoreCase(host, address_.hosts().baseHost);
}

std::optional<Principal> BrowserSession::find(const net::RequestHead& head) const {
  if (!isBaseHost(head)) return std::nullopt;
  const auto cookie = findCookie(head.headers, names_.session);
  return cookie.value.empty() ? std::nullopt : auth_.verifySessionCookie(cookie.value);
}

bool BrowserSession::hasCookie(const net::RequestHead& head) const {
  return isBaseHost(head) && findCookie(head.headers, names_.session).count > 0;
}

LoginOrigin BrowserSession::originOf(net::Exchange& exchange) const {
  const auto& head = exchange.head();
  return {.address = proxies_.clientAddress(exchange.stream().peerAddress(), head.headers),
          .device = isBaseHost(head) ? std::string(findCookie(head.headers, names_.device).value) : std::string(),
          .client = printable(head.headers.find("User-Agent").value_or(""), kMaxClient)};
}

net::Headers BrowserSession::begin(const net::RequestHead& head, const Principal& principal) const {
  if (!isBaseHost(head)) return {};
  const auto life = std::chrono::duration_cast<std::chrono::seconds>(principal.expiresAt - clock_.now()).count();
  net::Headers headers = repair(head);
  headers.push_back(
      {"Set-Cookie", setCookie(names_, names_.session, auth_.issueSessionCookie(principal), std::max<std::int64_t>(life, 0))});
  headers.push_back({"Set-Cookie", setCookie(names_, names_.device,
                                             auth_.issueDevice(principal, findCookie(head.headers, names_.device).value), kDeviceSeconds)});
  return headers;
}

net::Headers BrowserSession::end(const net::RequestHead& head) const {
  net::Headers headers;
  if (isBaseHost(head)) expireCookie(names_, names_.session, address_.hosts().baseHost, head.path(), headers);
  return headers;
}

net::Headers BrowserSession::repair(const net::RequestHead& head) const {
  return findCookie(head.headers, names_.session).isAmbiguous() ? end(head) : net::Headers{};
}

bool isSameOrigin(const net::RequestHead& head) {
  const auto site = head.headers.find("Sec-Fetch-Site");
  const auto origin = head.headers.find("Origin");
  if (site && *site != "same-origin" && *site != "none") return false;
  if (!origin) return site.has_value();
  // The scheme is not compared: a proxy in front of the server may terminate TLS.
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin->starts_with(scheme)) return net::equalsIgnoreCase(origin->substr(scheme.size()), head.hostPort);
  return false;
}

bool isOfForeignPage(const net::RequestHead& head) {
  return (head.headers.has("Origin") || head.headers.has("Sec-Fetch-Site")) && !isSameOrigin(head);
}

}  // namespace swarm
