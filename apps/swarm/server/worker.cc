#include "server/worker.h"

#include <boost/asio/use_future.hpp>

#include "base/diagnostics/log.h"
#include "gateway/https_redirect.h"

namespace swarm {
namespace {

constexpr std::chrono::seconds kConnectionGrace{5};

}  // namespace

Worker::Worker(std::unique_ptr<async::Loop> loop, GatewayOptions options, SwarmController& controller, Auth& auth, Api& api,
               const Clock& clock)
    : loop_(std::move(loop)), api_(api), address_(options.address) {
  onLoop([&] {
    gateway_ =
        std::make_unique<Gateway>(loop_->executor(), std::move(options), controller.routes(), auth, clock, gateway::makeAgentConnector());
  });
}

Worker::~Worker() {
  onLoop([&] {
    served_.clear();
    gateway_.reset();
  });
}

void Worker::serve(std::unique_ptr<net::Listener> listener, net::HttpServerOptions options) {
  run(std::move(listener), [this](net::Exchange& exchange) { return dispatch(exchange); }, std::move(options));
}

void Worker::redirect(std::unique_ptr<net::Listener> listener, net::HttpServerOptions options) {
  run(std::move(listener), [this](net::Exchange& exchange) { return gateway::redirectToHttps(exchange, address_); }, std::move(options));
}

void Worker::run(std::unique_ptr<net::Listener> listener, net::HttpHandler handler, net::HttpServerOptions options) {
  onLoop([&] {
    auto server = std::make_unique<net::HttpServer>(std::move(listener), std::move(handler), std::move(options));
    auto ended = boost::asio::co_spawn(loop_->executor(), server->run(), boost::asio::use_future);
    served_.push_back({std::move(server), std::move(ended)});
  });
}

void Worker::stop() {
  onLoop([&] {
    for (const Served& served : served_) served.server->stop();
  });
  // run() ends when the last connection has; connections that take longer are closed with the loop.
  for (const Served& served : served_)
    if (served.ended.wait_for(kConnectionGrace) != std::future_status::ready) log::warning("closed remaining connections at shutdown");
}

void Worker::onLoop(const std::function<void()>& action) { boost::asio::post(loop_->context(), boost::asio::use_future(action)).get(); }

/// Not a coroutine: saves one frame in the path of a proxied request.
async::awaitable<void> Worker::dispatch(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const gateway::HostName host = gateway_->parseHost(head.host);
  if (head.oddPath && host.kind() != gateway::HostKind::Instance) return gateway_->respondOddPath(exchange);
  switch (host.kind()) {
    case gateway::HostKind::Instance:
      return gateway_->handle(exchange, host);
    case gateway::HostKind::Base:
    case gateway::HostKind::Address:
      return dispatchBase(exchange);
    default:
      return gateway_->respondForeign(exchange);
  }
}

async::awaitable<void> Worker::dispatchBase(net::Exchange& exchange) {
  if (co_await gateway_->handlePages(exchange)) co_return;
  co_await api_.handle(exchange);
}

}  // namespace swarm
