// Responds by method and path.
#include "unit/provider/flyio/scripted_fly.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/text/format.h"

namespace swarm::flyio {

ScriptedFly::ScriptedFly(test::TestLoop& loop) {
  auto listener = net::listenTcp(loop.executor(), {"127.0.0.1", 0});
  server_ = std::make_unique<net::HttpServer>(std::move(listener), [this](net::Exchange& exchange) { return handle(exchange); });
  boost::asio::co_spawn(loop.executor(), server_->run(), boost::asio::detached);
}

ScriptedFly::~ScriptedFly() { server_->stop(); }

std::string ScriptedFly::url() const { return format("http://127.0.0.1:{}", server_->port()); }

int ScriptedFly::count(const std::string& line) const {
  return static_cast<int>(std::count_if(requests_.begin(), requests_.end(), [&](const SeenRequest& request) {
    return request.line == line || request.line.starts_with(line + "?");
  }));
}

boost::asio::awaitable<void> ScriptedFly::handle(net::Exchange& exchange) {
  const net::RequestHead& head = exchange.head();
  SeenRequest seen;
  seen.line = format("{} {}", head.method, head.target);
  seen.authorization = head.headers.find("authorization").value_or("");
  seen.cookie = head.headers.find("cookie").value_or("");
  seen.lease = head.headers.find("fly-machine-lease-nonce").value_or("");
  std::string line = format("{} {}", head.method, head.path());
  seen.body = co_await net::readAll(exchange.body(), 1 << 20);
  requests_.push_back(std::move(seen));
  auto found = responses_.find(line);
  ScriptedResponse response{404, "404 page not found"};
  if (found != responses_.end() && !found->second.empty()) {
    response = found->second.front();
    if (found->second.size() > 1) found->second.pop_front();
  }
  if (response.cut) {
    exchange.takeStream()->close();
    co_return;
  }
  co_await exchange.respond(response.status, response.headers, response.body);
}

}  // namespace swarm::flyio
