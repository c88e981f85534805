// Queries about one instance, and the connection to its agent.
#include "base/text/format.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/check/image_check.h"

namespace swarm::flyio {
namespace {

/// Limit for a connection that the edge accepts but does not serve; the next one may be served.
constexpr std::chrono::seconds kConnectAttempt{5};

net::Connector impatient(net::Connector connect) {
  return [connect](Deadline deadline) -> awaitable<net::StreamPtr> {
    for (;;) {
      try {
        co_return co_await connect(deadline.orAfter(kConnectAttempt));
      } catch (const Error& error) {
        if (error.code() != ErrorCode::DeadlineExceeded || deadline.hasPassed()) throw;
      }
    }
  };
}

}  // namespace

awaitable<std::optional<ProviderInstance>> FlyIOProvider::getInstance(std::string instance_id, Deadline deadline) {
  auto machine = co_await findMachine(std::move(instance_id), deadline);
  if (!machine || machine->state == "destroying") co_return std::nullopt;
  co_return toInstance(*machine, config_);
}

/// Compares names and digests without a call: a tag that was moved in its registry is not noticed.
bool FlyIOProvider::isImageOutdated(const ProviderInstance& observed, const std::string& image) const {
  if (observed.image.empty()) return false;
  try {
    return isOtherImage(observed.image, imageAtFly(image, config_));
  } catch (const Error&) {
    return false;  // the workspace image has no name on Fly any more
  }
}

/// Limits only: nothing outside of a Machine can measure usage. The controller queries the agent (README.md, "Deviations").
awaitable<ResourceUsage> FlyIOProvider::getResourceUsage(std::string instance_id, Deadline deadline) {
  Machine machine = co_await requireMachine(std::move(instance_id), deadline);
  ResourceConfig resources = resourcesOf(machine);
  ResourceUsage usage;
  usage.cpu.limit = resources.cpu.limit;
  usage.memory.limit = static_cast<double>(resources.memory.max);
  usage.storage.limit = static_cast<double>(resources.storage.size);
  co_return usage;
}

awaitable<NetworkInfo> FlyIOProvider::getNetworkInfo(std::string instance_id, Deadline deadline) {
  Machine machine = co_await requireMachine(std::move(instance_id), deadline);
  co_return networkOf(machine, config_);
}

awaitable<AgentEndpoint> FlyIOProvider::agentEndpoint(std::string instance_id, Deadline deadline) {
  Machine machine = co_await requireMachine(instance_id, deadline);
  if (machine.isHostUnreachable()) throw hostUnreachable(machine);
  if (machine.state != "started") {
    throw Error(ErrorCode::Conflict, format("The workspace is not running (its Machine is {}).", machine.state)).withInstance(instance_id);
  }
  const net::Url url = serverUrl(appUrl(config_, machine.app, isPrivate(machine)), "appUrl");
  AgentEndpoint endpoint(impatient(connectorTo(url, tls_)), url.authority(), {{"fly-force-instance-id", machine.id}});
  endpoint.credential = credentialOf(machine);
  co_return endpoint;
}

}  // namespace swarm::flyio
