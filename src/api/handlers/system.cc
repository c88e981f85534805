// Health, metrics, version, and the description of the API.
#include "agent/client/client.h"
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "async/attempt.h"
#include "base/diagnostics/log.h"
#include "gateway/host.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

void countInstances(Services& services) {
  std::map<InstanceStatus, double> counts;
  for (const auto& [name, route] : *services.controller.routes().current()) ++counts[route->status];
  for (InstanceStatus status : {InstanceStatus::creating, InstanceStatus::starting, InstanceStatus::running, InstanceStatus::stopping,
                                InstanceStatus::stopped, InstanceStatus::failed, InstanceStatus::deleting}) {
    services.metrics.gauge("swarm_instances", "Workspaces by status.", {{"status", std::string(enumName(status))}}).set(counts[status]);
  }
}

/// Adds the operations that ended since the last scrape.
awaitable<void> countOperations(Services& services) {
  auto ended = co_await services.controller.countEndedOperations();
  std::lock_guard lock(services.scrape);
  for (const auto& [what, count] : ended) {
    std::uint64_t& counted = services.countedOperations[what];
    if (count <= counted) continue;  // a concurrent scrape counted it
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
          .set(provider.status == health ? 1 : 0);
    }
    services.metrics.gauge("swarm_provider_instances", "Workspaces at a provider.", {{"provider", type}})
        .set(static_cast<double>(provider.instances));
  }
}

/// Of the samples: nothing is measured for a scrape.
awaitable<void> countUsage(Services& services) {
  constexpr double kMebibyte = 1024.0 * 1024.0;
  constexpr double kGibibyte = 1024.0 * kMebibyte;
  for (const auto& [type, total] : co_await services.controller.sumUsage()) {
    const MetricLabels labels{{"provider", std::string(enumName(type))}};
    const auto set = [&](const char* name, const char* help, double value) { services.metrics.gauge(name, help, labels).set(value); };
    set("swarm_usage_instances", "Running workspaces of which a sample was taken: the other swarm_usage metrics are their sums.",
        static_cast<double>(total.instances));
    set("swarm_usage_cpu_cores", "CPU in use.", total.usage.cpu.usage / 100);
    set("swarm_usage_cpu_limit_cores", "CPU that may be used.", static_cast<double>(total.usage.cpu.limit) / 1000);
    set("swarm_usage_memory_bytes", "Memory in use.", total.usage.memory.usage * kMebibyte);
    set("swarm_usage_memory_limit_bytes", "Memory that may be used.", total.usage.memory.limit * kMebibyte);
    set("swarm_usage_storage_bytes", "Storage in use.", total.usage.storage.usage * kGibibyte);
    set("swarm_usage_storage_limit_bytes", "Storage that may be used.", total.usage.storage.limit * kGibibyte);
    set("swarm_usage_receive_bytes_per_second", "Traffic to workspaces.", total.network.received);
    set("swarm_usage_transmit_bytes_per_second", "Traffic from workspaces.", total.network.sent);
    set("swarm_usage_memory_nearly_full_instances", "Workspaces that use 90 % of their memory or more.",
        static_cast<double>(total.nearlyFullMemory));
    set("swarm_usage_storage_nearly_full_instances", "Workspaces that use 90 % of their storage or more.",
        static_cast<double>(total.nearlyFullStorage));
  }
}

awaitable<Reply> health(Services&, Call&) { co_return reply(HealthResponse{"ok"}); }

constexpr std::chrono::seconds kStoreCheckInterval{5};

/// Empty when changes can be saved.
awaitable<std::optional<Error>> checkStore(Services& services) {
  StoreCheck& check = services.storeCheck;
  {
    const std::lock_guard lock(check.mutex);
    const SteadyTime now = services.clock.steadyNow();
    if (!services.options.checkStore || now < check.next) co_return check.failure;
    check.next = now + kStoreCheckInterval;
  }
  const auto checked = co_await async::attempt(services.options.checkStore());
  const std::lock_guard lock(check.mutex);
  if (!checked && !check.failure) log::error("the store cannot be written", {{"error", checked.error().message()}});
  if (checked && check.failure) log::info("the store can be written again");
  check.failure = checked ? std::nullopt : std::optional(checked.error());
  co_return check.failure;
}

/// The server listens only after the store was loaded and the providers were opened; /api/swarm/status reports unreachable providers.
awaitable<Reply> ready(Services& services, Call&) {
  const auto failure = co_await checkStore(services);
  if (!failure) co_return reply(HealthResponse{"ready"});
  // Anyone may read this: paths and details are in the log.
  throw Error(ErrorCode::Unavailable,
              failure->code() == ErrorCode::OutOfResources
                  ? "The server's disk is full, so changes cannot be saved. Free some space; the server then continues."
                  : "The server's disk cannot be written, so changes cannot be saved. The server's log has the reason.");
}

awaitable<Reply> metrics(Services& services, Call&) {
  countInstances(services);
  co_await countProviders(services);
  co_await countOperations(services);
  co_await countUsage(services);
  co_return Reply{.status = 200, .body = services.metrics.render(), .contentType = Metrics::kContentType};
}

/// Whether the request comes from a trusted proxy itself: it forwards for no client.
bool isFromProxy(const Services& services, Call& call) {
  const net::Exchange& exchange = call.exchange();
  const net::HeaderViews& headers = exchange.head().headers;
  return services.options.trustedProxies.contains(call.exchange().stream().peerAddress()) && !headers.has("X-Forwarded-For") &&
         !headers.has("Forwarded");
}

/// Whether a workspace is reached at this host: also its port listens. A handshake with any name makes the proxy ask, and a certificate for
/// each of 65,535 ports would use up what its authority issues.
const std::string kAsker = "/api/tls/ask";  // for the budget: not the name of a user

awaitable<bool> isOfWorkspace(Services& services, gateway::HostName host) {
  const auto routes = services.controller.routes().current();
  const auto found = host.kind() == gateway::HostKind::Instance ? routes->find(host.instance()) : routes->end();
  if (found == routes->end()) co_return false;
  if (host.port() == 0) co_return true;
  const agent::AgentTarget target = found->second->agent;
  if (!target.endpoint) co_return false;
  auto place = services.open.take(kAsker, target.instanceId);
  const auto port = co_await async::attempt(agent::openPortTunnel(target, host.port(), Deadline::after(services.options.upstreamTimeout)));
  co_return port.has_value();
}

/// Workspaces exist for the proxy alone: other clients would learn their names. The base host is public.
awaitable<Reply> askTls(Services& services, Call& call) {
  const gateway::HostName host = gateway::parseHost(call.text("domain").value_or(""), services.options.address.hosts());
  if (host.kind() == gateway::HostKind::Base) co_return reply(HealthResponse{"ok"});
  if (isFromProxy(services, call) && co_await isOfWorkspace(services, host)) co_return reply(HealthResponse{"ok"});
  throw Error(ErrorCode::NotFound, "This is not a host of this server, or the request does not come from a trusted proxy.");
}

awaitable<Reply> openapi(Services& services, Call&) { co_return Reply{.status = 200, .body = services.openapi}; }

awaitable<Reply> version(Services&, Call&) { co_return reply(VersionResponse{"vscode-remote-swarm", SWARM_VERSION}); }

}  // namespace

std::vector<Endpoint> systemRoutes() {
  return {

      at("GET", "/healthz", Permission::Public, "health", health,
         {.summary = "Whether the process responds",
          .description = "For a supervisor that restarts it.",
          .responses = {ok<HealthResponse>("It responds")}}),
      at("GET", "/readyz", Permission::Public, "ready", ready,
         {.summary = "Whether the server can work",
          .description = "For a load balancer. 503, with the cause, while changes cannot be saved, because the disk is full for example.",
          .responses = {ok<HealthResponse>("It can")},
          .problems = {503}}),
      at("GET", "/api/tls/ask", Permission::Public, "askTls", askTls,
         {.summary = "Whether a certificate may be issued for a host",
          .description = "For a proxy that obtains certificates on demand, as Caddy's `ask`. 200 for the base host and, if a trusted proxy "
                         "requests it for no client of its own, for the hosts of workspaces that exist and of ports on which they listen; "
                         "otherwise 404.",
          .responses = {ok<HealthResponse>("It is a host of this server")},
          .problems = {404},
          .parameters = {text("domain", "The host name")}}),
      at("GET", "/metrics", Permission::ReadServer, "metrics", metrics,
         {.summary = "Metrics for Prometheus",
          .description = "With the token of an administrator, operator or auditor.",
          .responses =
              {{.status = 200, .description = "Text exposition format", .contentType = "text/plain; version=0.0.4; charset=utf-8"}}}),
      at("GET", "/api/openapi.json", Permission::SignedIn, "openapi", openapi,
         {.summary = "This document",
          .description = "Generated from the table of routes from which the server runs.",
          .responses = {ok("OpenAPI 3.1", "OpenApiDocument")},
          .budget = Budget::Free}),
      at("GET", "/api/version", Permission::SignedIn, "version", version,
         {.summary = "The server's version",
          .description = "Versions before 1.0 may change the API with each minor number.",
          .responses = {ok<VersionResponse>("Name and version")},
          .budget = Budget::Free}),
  };
}

}  // namespace swarm::api
