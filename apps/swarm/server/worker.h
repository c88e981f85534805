// A loop that accepts and handles connections.
#pragma once

#include <future>
#include <memory>
#include <vector>

#include "api/api.h"
#include "async/loop.h"
#include "gateway/gateway.h"
#include "net/http/http_server.h"

namespace swarm {

class Worker {
 public:
  Worker(std::unique_ptr<async::Loop> loop, GatewayOptions options, SwarmController& controller, Auth& auth, Api& api, const Clock& clock);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// The listener must be of this worker's loop.
  void serve(std::unique_ptr<net::Listener> listener, net::HttpServerOptions options);
  /// The plain port beside TLS.
  void redirect(std::unique_ptr<net::Listener> listener, net::HttpServerOptions options);
  void stop();

  Gateway::Counters counters() const { return gateway_->counters(); }

 private:
  struct Served {
    std::unique_ptr<net::HttpServer> server;
    std::future<void> ended;
  };
  void onLoop(const std::function<void()>& action);
  void run(std::unique_ptr<net::Listener> listener, net::HttpHandler handler, net::HttpServerOptions options);
  async::awaitable<void> dispatch(net::Exchange& exchange);
  async::awaitable<void> dispatchBase(net::Exchange& exchange);

  std::unique_ptr<async::Loop> loop_;
  Api& api_;
  PublicAddress address_;
  std::unique_ptr<Gateway> gateway_;
  std::vector<Served> served_;
};

}  // namespace swarm
