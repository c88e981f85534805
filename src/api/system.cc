// Health, metrics, the API's own description, version.
#include "api/handlers.h"
#include "model/codec.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

/// A little fewer than the bus remembers: some may come before we ask.
constexpr std::uint64_t kRememberedEvents = 4000;

void countInstances(Services& services) {
  std::map<InstanceStatus, double> counts;
  for (const auto& [name, route] : *services.controller.routes().current()) ++counts[route->status];
  for (InstanceStatus status : {InstanceStatus::creating, InstanceStatus::starting, InstanceStatus::running, InstanceStatus::stopping,
                                InstanceStatus::stopped, InstanceStatus::failed, InstanceStatus::deleting}) {
    services.metrics.gauge("swarm_instances", "Instances by status.", {{"status", std::string(enumName(status))}}).set(counts[status]);
  }
}

/// Counts the operations that have ended since the last scrape, from the events' memory: nothing runs in between. Between two scrapes more
/// than the bus remembers may happen; then the counter stays behind.
awaitable<void> countOperations(Services& services) {
  std::uint64_t from = 0;
  {
    std::lock_guard lock(services.scrape);
    from = services.countedEvents;
  }
  EventBus& bus = services.controller.events();
  if (std::uint64_t last = bus.lastId(); last > from + kRememberedEvents) from = last - kRememberedEvents;
  std::vector<Event> events = co_await bus.after(from, Deadline::after(std::chrono::milliseconds(0)));
  std::lock_guard lock(services.scrape);
  for (const Event& event : events) {
    if (event.id <= services.countedEvents) continue;  // another scrape has counted it
    services.countedEvents = event.id;
    if (event.type != "operation") continue;
    auto text = [&](std::string_view name) {
      const json::value* member = event.data.if_contains(name);
      return member && member->is_string() ? std::string(member->get_string()) : std::string();
    };
    std::string result = text("status");
    if (result != "succeeded" && result != "failed" && result != "cancelled") continue;
    services.metrics
        .counter("swarm_operations_total", "Operations that ended, by kind and result.", {{"kind", text("kind")}, {"result", result}})
        .add();
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
