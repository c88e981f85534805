// HttpClient against HttpServer over real sockets: keep-alive, streaming, upgrades, stopping.
#include <gtest/gtest.h>

#include "base/error.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "support/coroutine_test.h"
#include "unit/net/soon.h"

namespace swarm::net {
namespace {

using test::TestLoop;

/// A server with one handler on the test's loop, and a client of it.
class Pair {
 public:
  explicit Pair(HttpHandler handler, HttpServerOptions options = {})
      : server(listenTcp(loop.executor(), {"127.0.0.1", 0}), std::move(handler), options),
        client([port = server.port()](Deadline deadline) { return connectTcp({"127.0.0.1", port}, deadline); },
               {.host = "test.localhost"}) {
    loop.spawn(server.run());
  }
  HttpResponse send(HttpRequest request) { return loop.run(client.send(std::move(request), soon())); }

  TestLoop loop;
  HttpServer server;
  HttpClient client;
};

awaitable<void> echo(Exchange& exchange) {
  const std::string body = co_await readAll(exchange.body(), 1 << 20);
  co_await exchange.respond(200, {{"X-Target", std::string(exchange.head().target)}}, body);
}

TEST(HttpRoundTrip, aPostedBodyComesBack) {
  Pair pair(echo);
  const HttpResponse response = pair.send({.method = "POST", .target = "/a?b=c", .body = "hello"});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(findHeader(response.headers, "x-target"), "/a?b=c");
  EXPECT_EQ(findHeader(response.headers, "content-length"), "5");
  EXPECT_FALSE(findHeader(response.headers, "date").empty());
}

TEST(HttpRoundTrip, requestsShareOneConnection) {
  std::string peers;
  Pair pair([&peers](Exchange& exchange) -> awaitable<void> {
    peers += exchange.stream().peer() + "\n";
    co_await exchange.respond(200, {}, "x");
  });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pair.send({}).body, "x");
  const std::string first = peers.substr(0, peers.find('\n') + 1);
  EXPECT_EQ(peers, first + first + first);
}

}  // namespace
}  // namespace swarm::net
