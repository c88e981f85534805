#include "engine/transport/endpoint.h"

#include "base/text/format.h"
#include "engine/transport/ssh_command.h"
#include "engine/transport/ssh_stream.h"

namespace swarm::engine {

std::uint16_t portOf(const Endpoint& endpoint) {
  if (endpoint.port != 0) return endpoint.port;
  return endpoint.tls.enabled ? 2376 : 2375;
}

std::string toString(const Endpoint& endpoint) {
  if (endpoint.host.empty()) return "unix://" + endpoint.socketPath.string();
  if (endpoint.overSsh) return sshUrl(endpoint);
  return format("tcp://{}:{}", endpoint.host, portOf(endpoint));
}

bool isLocal(const Endpoint& endpoint) {
  const std::string& host = endpoint.host;
  return host.empty() || host == "localhost" || host == "::1" || host.starts_with("127.");
}

net::Connector connectorTo(const Endpoint& endpoint) {
  if (endpoint.host.empty()) {
    return [path = endpoint.socketPath](Deadline deadline) { return net::connectUnix(path, deadline); };
  }
  if (endpoint.overSsh) return sshConnector(endpoint);
  net::HostPort address{endpoint.host, portOf(endpoint)};
  if (!endpoint.tls.enabled) {
    return [address](Deadline deadline) { return net::connectTcp(address, deadline); };
  }
  auto context = net::makeTlsClient({endpoint.tls.ca, endpoint.tls.certificate, endpoint.tls.key, endpoint.host});
  return [address, context](Deadline deadline) { return net::connectTls(address, context, deadline); };
}

}  // namespace swarm::engine
