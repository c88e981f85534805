// The Engine refuses to remove a network with containers on it, so the youngest go first until one is left.
#include "engine/network_doubles.h"

#include <algorithm>
#include <ranges>
#include <tuple>

#include "base/diagnostics/log.h"

namespace swarm::engine {

awaitable<std::vector<NamedNetwork>> networksNamed(Client& engine, std::string name, json::object filter, Deadline deadline) {
  filter["name"] = json::array{json::string(name)};  // the Engine also finds names that contain it
  json::array list = co_await engine.listNetworks(std::move(filter), deadline);
  std::vector<NamedNetwork> found;
  for (const json::value& network : list) {
    if (stringAt(network, "Name") == name) found.push_back({stringAt(network, "Created"), stringAt(network, "Id"), network});
  }
  std::ranges::sort(found, {}, [](const NamedNetwork& network) { return std::tie(network.created, network.id); });
  co_return found;
}

awaitable<void> removeDoubleNetworks(Client& engine, std::string name, json::object filter, Deadline deadline) {
  std::vector<NamedNetwork> doubles = co_await networksNamed(engine, name, std::move(filter), deadline);
  std::size_t left = doubles.size();
  for (const NamedNetwork& network : std::views::reverse(doubles)) {
    if (left <= 1) break;
    if (!co_await engine.removeNetwork(network.id, deadline)) continue;
    --left;
    log::info("removed a network that the Engine had made twice", {{"name", name}, {"id", network.id}});
  }
}

}  // namespace swarm::engine
