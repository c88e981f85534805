// The Engine refuses to remove a network with containers on it, so the youngest go first until one is left.
#include "provider/docker/network_doubles.h"

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "provider/docker/engine_errors.h"

namespace swarm::docker {

bool saysNetworkIsDouble(const EngineReply& reply) {
  return !reply.ok() && reply.body.find("network ") != std::string::npos && reply.body.find("is ambiguous") != std::string::npos;
}

boost::asio::awaitable<void> removeDoubleNetworks(EngineClient& engine, std::string name, Deadline deadline) {
  std::string filter = filterQuery({{"name", json::array{json::string(name)}}});
  json::value all = co_await engine.call({.target = "/networks?" + filter, .doing = "list networks", .body = {}}, deadline);
  struct Network {
    std::string created;  // RFC 3339 in the Engine's own zone: in order as text
    std::string id;
    auto operator<=>(const Network&) const = default;
  };
  std::vector<Network> doubles;
  if (const json::array* list = all.if_array()) {
    for (const json::value& network : *list)
      if (stringAt(network, "Name") == name) doubles.push_back({stringAt(network, "Created"), stringAt(network, "Id")});
  }
  std::ranges::sort(doubles, std::greater{});
  std::size_t left = doubles.size();
  for (const Network& network : doubles) {
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
