// EdgeProxy: what stands for Fly's proxy: from a Host to an app to a Machine, over HTTP/1.1 with any upgrade, or as raw TCP.
#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "emulator/emulator.h"
#include "net/connect.h"
#include "net/http_server.h"

namespace swarm::emulator {

/// What the edge asks; Emulator's functions, or a test's.
struct EdgeRoutes {
  std::function<awaitable<std::expected<EdgeTarget, EdgeRefusal>>(EdgeQuery)> find;
  std::function<std::vector<EdgeService>()> services;                          ///< of all apps
  std::function<std::vector<EdgeService>(const std::string& app)> servicesOf;  ///< of one: asked for each request
  /// Throws Error(Unavailable) when nothing listens there.
  std::function<awaitable<net::StreamPtr>(std::string machine_id, std::uint16_t port, Deadline)> connect;
};
/// The emulator must outlive what is made of this.
inline EdgeRoutes routesOf(Emulator& emulator) {
  return {.find = [&emulator](EdgeQuery query) { return emulator.findEdgeTarget(std::move(query)); },
          .services = [&emulator] { return emulator.edgeServices(); },
          .servicesOf = [&emulator](const std::string& app) { return emulator.edgeServicesOf(app); },
          .connect = [&emulator](std::string machine, std::uint16_t port,
                                 Deadline deadline) { return emulator.backend().connect(std::move(machine), port, deadline); }};
}

struct EdgeOptions {
  std::vector<std::string> domains{"fly.localhost", "fly.dev"};  ///< "<app>.<domain>" and "<port>--<app>.<domain>"
  std::string region = "ams";                                    ///< where the edge says that it is (Fly-Region)
  std::chrono::milliseconds connectTimeout{10'000};
  std::chrono::milliseconds answerTimeout{0};  ///< to the head of the answer; zero: for ever (what Fly's is, is not known)
};

/// An app and one of its external ports, as a Host or header names it.
struct EdgeAddress {
  std::string app;
  std::uint16_t externalPort = 0;  ///< 0: not named
  bool operator==(const EdgeAddress&) const = default;
};
/// Nothing: the host is none of ours.
std::optional<EdgeAddress> parseEdgeHost(std::string_view host, const std::vector<std::string>& domains);

/// On one loop; outlives the servers that it handles for.
class EdgeProxy {
 public:
  EdgeProxy(EdgeRoutes routes, EdgeOptions options = {});
  /// The handler of an HttpServer. Answers 404 for a host that is no app's, what the emulator says where no Machine serves it, and 502
  /// where the Machine does not answer.
  awaitable<void> handle(net::Exchange& exchange);

 private:
  std::uint16_t chooseHttpPort(const std::string& app) const;
  EdgeRoutes routes_;
  EdgeOptions options_;
};

/// One listener for each service that has no "http" handler: what no Host can name. On one loop.
class EdgeListeners {
 public:
  /// `host`: where to listen, on ports that are free. `tls` may be empty: then services with a "tls" handler get no listener.
  EdgeListeners(net::Executor executor, EdgeRoutes routes, std::string host, std::shared_ptr<net::TlsContext> tls = {});
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
