// EdgeProxy: stands in for Fly's proxy: routes from a Host to an app to a Machine, over HTTP/1.1 with any upgrade, or as raw TCP.
#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/awaitable.h"
#include "emulator/emulator.h"
#include "net/connect.h"
#include "net/http/http_server.h"

namespace swarm::emulator {

/// The edge's queries; implemented by Emulator, or by a test.
struct EdgeRoutes {
  std::function<awaitable<std::expected<EdgeTarget, EdgeRefusal>>(EdgeQuery)> find;
  std::function<std::vector<EdgeService>()> services;                          ///< of all apps
  std::function<std::vector<EdgeService>(const std::string& app)> servicesOf;  ///< of one app: called for each request
  /// Throws Error(Unavailable) when no process is listening there.
  std::function<awaitable<net::StreamPtr>(std::string machine_id, std::uint16_t port, Deadline)> connect;
};
/// The emulator must outlive the result.
inline EdgeRoutes routesOf(Emulator& emulator) {
  return {.find = [&emulator](EdgeQuery query) { return emulator.findEdgeTarget(std::move(query)); },
          .services = [&emulator] { return emulator.edgeServices(); },
          .servicesOf = [&emulator](const std::string& app) { return emulator.edgeServicesOf(app); },
          .connect = [&emulator](std::string machine, std::uint16_t port,
                                 Deadline deadline) { return emulator.backend().connect(std::move(machine), port, deadline); }};
}

struct EdgeOptions {
  std::vector<std::string> domains{"fly.localhost", "fly.dev"};  ///< "<app>.<domain>" and "<port>--<app>.<domain>"
  std::string region = "ams";                                    ///< the edge's region (Fly-Region)
};

/// An app and one of its external ports, as given by a Host or header.
struct EdgeAddress {
  std::string app;
  std::uint16_t externalPort = 0;  ///< 0: not given
  bool operator==(const EdgeAddress&) const = default;
};
/// Empty: not a host of this edge.
std::optional<EdgeAddress> parseEdgeHost(std::string_view host, const std::vector<std::string>& domains);

/// On one loop; outlives the servers that use it.
class EdgeProxy {
 public:
  EdgeProxy(EdgeRoutes routes, EdgeOptions options = {});
  /// The handler of an HttpServer. Responds with 404 for a host without an app, with the emulator's refusal if no Machine serves it, and
  /// with 502 if the Machine does not respond.
  awaitable<void> handle(net::Exchange& exchange);

 private:
  std::uint16_t chooseHttpPort(const std::string& app) const;
  EdgeRoutes routes_;
  EdgeOptions options_;
};

/// One listener for each service without an "http" handler, which a Host cannot select. On one loop.
class EdgeListeners {
 public:
  /// `host`: the address to listen on, on free ports. `tls` may be empty: then services with a "tls" handler get no listener.
  EdgeListeners(async::Executor executor, EdgeRoutes routes, std::string host, std::shared_ptr<net::TlsContext> tls = {});
  ~EdgeListeners();
  void refresh();  ///< after a change of the services
  void stop();     ///< closes all listeners and their connections
  /// "tcp": [{"app", "port", "address"}]
  void addTo(boost::json::object& state) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace swarm::emulator
