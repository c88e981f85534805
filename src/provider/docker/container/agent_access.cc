// Whether an agent has TLS is read from its container's label, which the server has set: a peer on the network cannot turn it off.
#include "provider/docker/container/agent_access.h"

#include <set>

#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "protocol/agent.h"
#include "provider/docker/spec/image_agent.h"

namespace swarm::docker {
namespace {

constexpr std::string_view kGetTls =
    "`swarm update NAME --refresh-image` makes the container again; an image of an earlier version has to be built again before.";
constexpr std::size_t kMaxNames = 5;

bool isAnyAddress(const std::string& address) { return address.empty() || address == "0.0.0.0" || address == "::"; }

/// The host of an ssh:// endpoint may be a name that only ssh knows.
std::string agentHost(const DockerProviderConfig& config) {
  const std::string& published = config.agentPublishAddress;
  if (isLocal(config)) return isAnyAddress(published) ? "127.0.0.1" : published;
  return config.overSsh && !isAnyAddress(published) ? published : config.host;
}

/// Ports that are published on the loopback of another machine cannot be reached from this one, whatever carries the Engine's API.
bool isReachable(const DockerProviderConfig& config) {
  const std::string& published = config.agentPublishAddress;
  return isLocal(config) || (!published.starts_with("127.") && published != "::1" && published != "localhost");
}

/// "web1, web2 and 3 more".
std::string listed(const std::set<std::string>& names) {
  std::string text;
  std::size_t count = 0;
  for (const std::string& name : names) {
    if (count == kMaxNames) return format("{} and {} more", text, names.size() - count);
    text += (count++ == 0 ? "" : ", ") + name;
  }
  return text;
}

}  // namespace

AgentEndpoint agentEndpointOf(const ContainerDetails& container, const DockerProviderConfig& config) {
  const PlaceId& place = container.instance.placeId;
  if (container.status != ContainerStatus::running)
    throw Error(ErrorCode::Conflict, format("The workspace does not run (its container is {}).", toString(container.status)))
        .withInstance(place.str());
  net::HostPort address{agentHost(config), static_cast<std::uint16_t>(container.agentPort)};
  if (container.internal) address = {container.networkAddress, agent::kPort};
  if (address.host.empty() || address.port == 0)
    throw Error(ErrorCode::Conflict, "The workspace's agent has no address: its container runs without a published port.")
        .withInstance(place.str());
  if (!container.hasTls && config.agentTls == AgentTls::required)
    throw Error(ErrorCode::Unprocessable, format("The workspace's agent has no TLS, which agentTls of [docker] requires. {}", kGetTls))
        .withInstance(place.str());
  if (!container.hasTls && wantsTls(config))
    log::warning("an agent on another machine has no TLS", {{"instance", container.instance.name}, {"advice", kGetTls}});
  net::Connector connector = [address](Deadline deadline) { return net::connectTcp(address, deadline); };
  AgentEndpoint endpoint(connector);
  endpoint.credential = container.credential;
  if (container.hasTls) endpoint.tlsPlace = place;
  return endpoint;
}

ValidationCheck agentsCheck(const DockerProviderConfig& config, const std::vector<ContainerRef>& containers) {
  if (!isReachable(config))
    return {"agents", false,
            format("The ports of workspaces are published at {} on the Engine's machine, where this server cannot reach them. Set "
                   "agentPublishAddress to an address of that machine in a private network that it shares with this server.",
                   config.agentPublishAddress)};
  std::set<std::string> plain;
  for (const ContainerRef& container : containers)
    if (!container.hasTls) plain.insert(container.instanceName);
  std::string detail = format("this server reaches workspaces at {}, with TLS", agentHost(config));
  if (plain.empty()) return {"agents", true, std::move(detail)};
  const bool refused = config.agentTls == AgentTls::required;
  return {"agents", !refused,
          format("{}; warning: {} {} an agent without TLS, {}. {}", detail, listed(plain), plain.size() == 1 ? "has" : "have",
                 refused ? "which agentTls refuses" : "whose traffic can be read on the network", kGetTls)};
}

}  // namespace swarm::docker
