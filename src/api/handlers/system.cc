// Health, metrics, the API's own description, version.
#include "api/handlers/handlers.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

void countInstances(Services& services) {
  std::map<InstanceStatus, double> counts;
  for (const auto& [name, route] : *services.controller.routes().current()) ++counts[route->status];
  for (InstanceStatus status : {InstanceStatus::creating, InstanceStatus::starting, InstanceStatus::running, InstanceStatus::stopping,
                                InstanceStatus::stopped, InstanceStatus::failed, InstanceStatus::deleting}) {
    services.metrics.gauge("swarm_instances", "Instances by status.", {{"status", std::string(enumName(status))}}).set(counts[status]);
  }
}

/// Adds what has ended since the last scrape: nothing runs in between.
awaitable<void> countOperations(Services& services) {
  auto ended = co_await services.controller.countEndedOperations();
  std::lock_guard lock(services.scrape);
  for (const auto& [what, count] : ended) {
    std::uint64_t& counted = services.countedOperations[what];
    if (count <= counted) continue;  // another scrape has counted it
    services.metrics
        .counter("swarm_operations_total", "Operations that ended, by kind and result.",
                 {{"kind", std::string(enumName(what.first))}, {"result", std::string(enumName(what.second))}})
        .add(static_cast<double>(count - counted));
    counted = count;
  }
}

awaitable<void> countProviders(Services& services) {
  for (const auto& provider : co_await services.controller.listProviders()) {
    std::string type(enumName(provider.type));
    for (ProviderHealth health : {ProviderHealth::healthy, ProviderHealth::degraded, ProviderHealth::unavailable}) {
      services.metrics
          .gauge("swarm_provider_health", "1 for the health that a provider has.",
                 {{"provider", type}, {"health", std::string(enumName(health))}})
          .set(provider.health.status == health ? 1 : 0);
    }
    services.metrics.gauge("swarm_provider_instances", "Instances at a provider.", {{"provider", type}})
        .set(static_cast<double>(provider.instances));
  }
}

}  // namespace

awaitable<Reply> health(Services&, Call&) { co_return jsonReply(200, json::object{{"status", "ok"}}); }

/// The server listens only after the store was loaded and the providers were opened; an unreachable provider is /api/swarm/status's matter.
awaitable<Reply> ready(Services&, Call&) { co_return jsonReply(200, json::object{{"status", "ready"}}); }

awaitable<Reply> metrics(Services& services, Call&) {
  countInstances(services);
  co_await countProviders(services);
  co_await countOperations(services);
  co_return Reply{.status = 200, .body = services.metrics.render(), .contentType = Metrics::kContentType};
}

awaitable<Reply> openapi(Services& services, Call&) { co_return Reply{.status = 200, .body = services.openapi}; }

awaitable<Reply> version(Services&, Call&) {
  co_return jsonReply(200, json::object{{"name", "vscode-remote-swarm"}, {"version", SWARM_VERSION}});
}

}  // namespace swarm::api
