// Routes a request from its Host to a Machine.
#include "emulator/edge/edge_proxy.h"

#include <algorithm>

#include "async/attempt.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "base/text/number.h"
#include "emulator/edge/forward.h"

namespace swarm::emulator {
namespace {

constexpr std::chrono::seconds kConnectTime{10};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

/// 0: `text` is not a port.
std::uint16_t parsePort(std::string_view text) { return parseNumber<std::uint16_t>(text).value_or(0); }

bool isHttp(const EdgeService& service) { return std::ranges::find(service.handlers, "http") != service.handlers.end(); }

awaitable<void> refuse(net::Exchange& exchange, const std::string& request_id, int status, std::string reason) {
  net::Headers headers{{"Content-Type", "text/plain; charset=utf-8"}, {"fly-request-id", request_id}, {"server", "Fly (emulated)"}};
  co_await exchange.respond(status, std::move(headers), reason + "\n");
}

}  // namespace

std::optional<EdgeAddress> parseEdgeHost(std::string_view host, const std::vector<std::string>& domains) {
  std::string text = lower(host);
  for (const std::string& domain : domains) {
    if (text.size() <= domain.size() + 1 || !text.ends_with(domain) || text[text.size() - domain.size() - 1] != '.') continue;
    EdgeAddress address{.app = text.substr(0, text.size() - domain.size() - 1)};
    if (address.app.contains('.')) return std::nullopt;
    if (auto dashes = address.app.find("--"); dashes != std::string::npos) {
      address.externalPort = parsePort(std::string_view(address.app).substr(0, dashes));
      if (address.externalPort != 0) address.app.erase(0, dashes + 2);
    }
    if (address.app.empty()) return std::nullopt;
    return address;
  }
  return std::nullopt;
}

EdgeProxy::EdgeProxy(EdgeRoutes routes, EdgeOptions options) : routes_(std::move(routes)), options_(std::move(options)) {}

std::uint16_t EdgeProxy::chooseHttpPort(const std::string& app) const {
  // The edge's single port serves 443 and 80 and, if there is neither, any other HTTP port.
  std::uint16_t chosen = 0;
  for (const EdgeService& service : routes_.servicesOf(app)) {
    if (!isHttp(service)) continue;
    if (service.externalPort == 443) return 443;
    if (chosen == 0 || service.externalPort == 80) chosen = service.externalPort;
  }
  return chosen == 0 ? 443 : chosen;
}

awaitable<void> EdgeProxy::handle(net::Exchange& exchange) {
  const net::RequestHead& head = exchange.head();
  std::string request_id = newId("edge");
  auto address = parseEdgeHost(head.host, options_.domains);
  if (!address) {
    co_return co_await refuse(exchange, request_id, 404,
                              format("No app is served at {}. Apps are served at <app>.{}.", head.host, options_.domains.front()));
  }
  if (auto named = head.headers.find("Fly-Emulator-Port")) {
    address->externalPort = parsePort(*named);
    if (address->externalPort == 0) co_return co_await refuse(exchange, request_id, 400, "Fly-Emulator-Port must be a port.");
  }
  if (address->externalPort == 0) address->externalPort = chooseHttpPort(address->app);
  EdgeQuery query;
  query.app = address->app;
  query.externalPort = address->externalPort;
  query.forceInstance = head.headers.find("fly-force-instance-id").value_or("");
  query.preferInstance = head.headers.find("fly-prefer-instance-id").value_or("");
  auto target = co_await routes_.find(std::move(query));
  if (!target) co_return co_await refuse(exchange, request_id, target.error().status, target.error().reason);
  EdgeFacts facts{.requestId = request_id,
                  .clientAddress = exchange.stream().peerAddress(),
                  .region = options_.region,
                  .externalPort = address->externalPort,
                  .tls = exchange.stream().isTls()};
  auto machine = co_await async::attempt(routes_.connect(target->machineId, target->internalPort, Deadline::after(kConnectTime)));
  if (!machine) {
    const std::string& trouble = machine.error().message();
    log::debug("a Machine is not responding", {{"machine", target->machineId}, {"reason", trouble}});
    co_return co_await refuse(exchange, request_id, 502,
                              format("The Machine {} is not responding on port {}: {}", target->machineId, target->internalPort, trouble));
  }
  if (co_await forwardExchange(exchange, std::move(*machine), std::move(facts))) co_return;
  co_await refuse(exchange, request_id, 502, format("The Machine {} sent an invalid response.", target->machineId));
}

}  // namespace swarm::emulator
