#include "net/url_connector.h"

namespace swarm::net {

Connector connectorTo(const Url& url, const std::shared_ptr<TlsContext>& tls) {
  HostPort address = url.address();
  if (!url.tls) return [address](Deadline deadline) { return connectTcp(address, deadline); };
  auto context = tls ? withServerName(*tls, url.host) : makeTlsClient({.serverName = url.host});
  return [address, context](Deadline deadline) { return connectTls(address, context, deadline); };
}

}  // namespace swarm::net
