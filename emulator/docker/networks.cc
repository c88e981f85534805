// One Docker network per 6PN: Machines on different ones cannot reach each other.
#include "base/text/format.h"
#include "emulator/docker/docker_backend_impl.h"
#include "engine/network_doubles.h"

namespace swarm::emulator {
namespace {

constexpr int kRangesTried = 12;

}  // namespace

awaitable<void> DockerBackend::ensureNetwork(std::string network, Deadline deadline) {
  std::string name = networkName(id(), network);
  async::KeyedLock::Guard guard = co_await locks_.acquire("network " + name, deadline);
  auto found = co_await engine_.inspectNetwork(name, deadline);
  if (found) co_return;
  if (found.error().reason == engine::Refusal::AmbiguousNetwork) {
    co_return co_await engine::removeDoubleNetworks(engine_, name, ownFilter(), deadline);
  }
  if (!found.error().isNotFound()) throw found.error().error;
  for (int attempt = 0;; ++attempt) {
    json::object body = networkBody(id(), network, attempt < kRangesTried ? attempt : -1);
    auto made = co_await engine_.createNetwork(std::move(body), {}, {}, deadline);
    if (made || made.error().isConflict()) co_return;
    if (made.error().reason != engine::Refusal::RangeTaken || attempt >= kRangesTried) throw made.error().error;
  }
}

awaitable<void> DockerBackend::removeUnusedNetworks(Deadline deadline) {
  json::array networks = co_await engine_.listNetworks(ownFilter(), deadline);
  for (const json::value& network : networks) {
    std::string name = engine::stringAt(network, "Name");
    async::KeyedLock::Guard guard = co_await locks_.acquire("network " + name, deadline);
    std::string label = engine::labelOf(network, kLabelNetwork);
    if (network_pins_.contains(name) || label.empty()) continue;
    json::array users = co_await listContainers(format("{}={}", kLabelNetwork, label), deadline);
    if (!users.empty() || network_pins_.contains(name)) continue;
    co_await engine_.removeNetwork(engine::stringAt(network, "Id"), deadline);  // stays when another program's container uses it
  }
}

}  // namespace swarm::emulator
