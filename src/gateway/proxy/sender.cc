#include "gateway/proxy/sender.h"

#include "gateway/pages/responses.h"

namespace swarm::gateway {
namespace {

/// The host of an origin or URL if it is one of the server's, with its port; otherwise Foreign. Another port of the same name is another
/// program.
HostName ourHostIn(std::string_view url, const net::RequestHead& head, const PublicAddress& address) {
  const auto origin = net::parseOrigin(url);
  // A proxy in front of the server may terminate TLS: only behind https a page of plain http is never one of the server's.
  if (!origin || (address.isSecure() && origin->scheme != "https")) return {};
  if (origin->port != head.hostPort.substr(head.host.size())) return {};
  return parseHost(origin->host, address.hosts());
}

bool isOfSameInstance(const HostName& other, const HostName& host) {
  return other.kind() == HostKind::Instance && !other.label().empty() && other.instance() == host.instance();
}

Sender relation(const HostName& other, const HostName& host) {
  if (!isOfSameInstance(other, host)) return Sender::Elsewhere;
  return other.label() == host.label() ? Sender::SameHost : Sender::SameWorkspace;
}

}  // namespace

Sender senderOf(const net::RequestHead& head, const HostName& host, const PublicAddress& address) {
  const auto site = head.headers.find("Sec-Fetch-Site");
  if (site && *site == "none") return Sender::Person;
  if (site && *site == "same-origin") return Sender::SameHost;
  if (const auto origin = head.headers.find("Origin")) return relation(ourHostIn(*origin, head, address), host);
  const auto referer = head.headers.find("Referer");
  if (!referer) {
    if (!site) return Sender::Person;
    // NAME.localhost is a site of its own: only pages of this workspace are same-site.
    return *site == "same-site" && address.hosts().instanceDomain == "localhost" ? Sender::SameWorkspace : Sender::Elsewhere;
  }
  return relation(ourHostIn(*referer, head, address), host);
}

bool opensPage(const net::RequestHead& head) {
  if ((head.method != "GET" && head.method != "HEAD") || !head.upgrade.empty()) return false;
  const auto mode = head.headers.find("Sec-Fetch-Mode");
  const auto dest = head.headers.find("Sec-Fetch-Dest");
  if (!mode && !dest) return isNavigation(head);
  return (!mode || *mode == "navigate") && (!dest || *dest == "document");
}

bool opensFrame(const net::RequestHead& head) {
  const auto dest = head.headers.find("Sec-Fetch-Dest");
  return dest && (*dest == "iframe" || *dest == "frame" || *dest == "embed" || *dest == "object" || *dest == "fencedframe");
}

bool isPreflight(const net::RequestHead& head) {
  return head.method == "OPTIONS" && head.headers.has("Origin") && head.headers.has("Access-Control-Request-Method") &&
         head.upgrade.empty() && head.body.kind == net::BodyKind::None;
}

HostName originHostOf(const net::RequestHead& head, const HostName& host, const PublicAddress& address) {
  const auto origin = head.headers.find("Origin");
  if (!origin) return {};
  const auto other = ourHostIn(*origin, head, address);
  return isOfSameInstance(other, host) ? other : HostName();
}

HostName refererOf(const net::RequestHead& head, const HostName& host, const PublicAddress& address) {
  const auto referer = head.headers.find("Referer");
  if (!referer) return {};
  const auto other = ourHostIn(*referer, head, address);
  return isOfSameInstance(other, host) ? other : HostName();
}

}  // namespace swarm::gateway
