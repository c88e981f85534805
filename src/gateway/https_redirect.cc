#include "gateway/https_redirect.h"

#include "base/text/format.h"
#include "gateway/host.h"
#include "gateway/pages/responses.h"

namespace swarm::gateway {
namespace {

/// Composed of parts that were recognized: nothing of the Host field is repeated as it came. Empty for the host of another server.
std::string originFor(const HostName& host, const PublicAddress& address) {
  if (host.kind() == HostKind::Base || host.kind() == HostKind::Address) return address.origin();
  if (host.kind() == HostKind::Foreign || host.instance().empty()) return {};
  return address.publicOriginOf(address.hosts().hostOf(host.instance(), host.port()));
}

}  // namespace

async::awaitable<void> redirectToHttps(net::Exchange& exchange, const PublicAddress& address) {
  const net::RequestHead& head = exchange.head();
  net::Headers headers{{"Connection", "close"}};
  const std::string origin = originFor(parseHost(head.host, address.hosts()), address);
  if (origin.empty())
    co_return co_await respondMessage(
        exchange, 421, ErrorCode::InvalidArgument,
        {.title = "Unknown host name", .text = "This server does not serve this host name. Check the address."}, std::move(headers));
  // What another method has sent was readable on the network; a redirect would hide that.
  if (head.method != "GET" && head.method != "HEAD")
    co_return co_await respondProblem(exchange, 400, ErrorCode::InvalidArgument,
                                      format("This request was sent without encryption, and was not performed. Send it to {}. Replace a "
                                             "password or token that it contained.",
                                             origin),
                                      std::move(headers));
  co_await respondRedirect(exchange, 308, origin + std::string(isLocalPath(head.target) ? head.target : "/"), std::move(headers));
}

}  // namespace swarm::gateway
