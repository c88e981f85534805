// One Docker network per 6PN: Machines on different ones cannot reach each other.
#include "async/lock/keyed_lock.h"
#include "base/error.h"
#include "base/text/format.h"
#include "emulator/docker/docker_backend_impl.h"
#include "provider/docker/engine/engine_errors.h"
#include "provider/docker/network/network_doubles.h"

namespace swarm::emulator {
namespace {

constexpr int kRangesTried = 12;

bool saysRangeTaken(const docker::EngineReply& reply) { return reply.status != 409 && reply.body.find("overlaps") != std::string::npos; }

}  // namespace

awaitable<void> DockerBackend::ensureNetwork(std::string network, Deadline deadline) {
  std::string name = networkName(id(), network);
  async::KeyedLock::Guard guard = co_await locks_.acquire("network " + name, deadline);
  const std::string doing = format("create the network {}", name);
  docker::EngineReply found = co_await engine_.send({.target = "/networks/" + name, .doing = doing, .body = {}}, deadline);
  if (docker::saysNetworkIsDouble(found)) co_return co_await docker::removeDoubleNetworks(engine_, name, ownFilter(), deadline);
  if (found.ok()) co_return;
  if (found.status != 404) throw docker::engineError(found.status, found.body, doing);
  for (int attempt = 0;; ++attempt) {
    json::object body = networkBody(id(), network, attempt < kRangesTried ? attempt : -1);
    docker::EngineReply made =
        co_await engine_.send({.method = "POST", .target = "/networks/create", .doing = doing, .body = std::move(body)}, deadline);
    if (made.ok() || made.status == 409) co_return;
    if (!saysRangeTaken(made) || attempt >= kRangesTried) throw docker::engineError(made.status, made.body, doing);
  }
}

awaitable<void> DockerBackend::removeUnusedNetworks(Deadline deadline) {
  std::string target = "/networks?" + docker::filterQuery(ownFilter());
  json::value networks = co_await engine_.call({.target = std::move(target), .doing = "list networks", .body = {}}, deadline);
  if (!networks.is_array()) co_return;
  for (const json::value& network : networks.as_array()) {
    std::string name = docker::stringAt(network, "Name");
    async::KeyedLock::Guard guard = co_await locks_.acquire("network " + name, deadline);
    if (network_pins_.contains(name)) continue;
    const json::value* labels = docker::member(network, "Labels");
    const json::value* label = labels && labels->is_object() ? labels->as_object().if_contains(kLabelNetwork) : nullptr;
    if (!label || !label->is_string()) continue;
    auto users = co_await listContainers(format("{}={}", kLabelNetwork, std::string_view(label->as_string())), deadline);
    if (!users.empty() || network_pins_.contains(name)) continue;
    docker::EngineReply reply = co_await engine_.send(
        {.method = "DELETE", .target = "/networks/" + docker::stringAt(network, "Id"), .doing = "remove a network", .body = {}}, deadline);
    // In use by a container that does not belong to this emulator: keep the network.
    bool fine = reply.ok() || reply.status == 404 || reply.status == 403 || reply.status == 409;
    if (!fine) throw docker::engineError(reply.status, reply.body, format("remove the network {}", name));
  }
}

}  // namespace swarm::emulator
