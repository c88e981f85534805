// The Engine refuses to remove a network with containers on it, so the youngest go first until one is left.
#include "provider/docker/network/network_doubles.h"

#include <algorithm>
#include <ranges>
#include <tuple>

#include "base/diagnostics/log.h"
#include "provider/docker/engine/engine_errors.h"

namespace swarm::docker {

bool saysNetworkIsDouble(const EngineReply& reply) {
  return !reply.ok() && reply.body.find("network ") != std::string::npos && reply.body.find("is ambiguous") != std::string::npos;
}

boost::asio::awaitable<std::vector<NamedNetwork>> networksNamed(EngineClient& engine, std::string name, json::object filter,
                                                                Deadline deadline) {
  filter["name"] = json::array{json::string(name)};  // the Engine also finds names that hold it
  json::value all = co_await engine.call({.target = "/networks?" + filterQuery(filter), .doing = "list networks", .body = {}}, deadline);
  std::vector<NamedNetwork> found;
  if (const json::array* list = all.if_array()) {
    for (const json::value& network : *list) {
      if (stringAt(network, "Name") != name) continue;
      found.push_back({stringAt(network, "Created"), stringAt(network, "Id"), network});
    }
  }
  std::ranges::sort(found, {}, [](const NamedNetwork& network) { return std::tie(network.created, network.id); });
  co_return found;
}

boost::asio::awaitable<void> removeDoubleNetworks(EngineClient& engine, std::string name, json::object filter, Deadline deadline) {
  std::vector<NamedNetwork> doubles = co_await networksNamed(engine, name, std::move(filter), deadline);
  std::size_t left = doubles.size();
  for (const NamedNetwork& network : std::views::reverse(doubles)) {
    if (left <= 1) break;
    EngineReply reply =
        co_await engine.send({.method = "DELETE", .target = "/networks/" + network.id, .doing = "remove a network", .body = {}}, deadline);
    bool in_use = reply.status == 403 || reply.status == 409;
    if (!reply.ok() && reply.status != 404 && !in_use) throw engineError(reply.status, reply.body, "remove a network");
    if (in_use) continue;
    --left;
    log::info("removed a network that the Engine had made twice", {{"name", name}, {"id", network.id}});
  }
}

}  // namespace swarm::docker
