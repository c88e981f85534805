// HttpServerTest: an HttpServer on 127.0.0.1 and raw clients of it.
#pragma once

#include <gtest/gtest.h>

#include "base/error.h"
#include "net/http/http_server.h"
#include "support/coroutine_test.h"
#include "support/net/raw_server.h"

namespace swarm::net {

using std::chrono::milliseconds;

class HttpServerTest : public testing::Test {
 protected:
  void start(HttpHandler handler, HttpServerOptions options = {}) {
    server = std::make_unique<HttpServer>(listenTcp(loop.executor(), {"127.0.0.1", 0}), std::move(handler), options);
    auto run = [](HttpServer& running, bool& flag) -> awaitable<void> {
      co_await running.run();
      flag = true;
    };
    loop.spawn(run(*server, ended));
  }
  StreamPtr connect() { return loop.run(connectTcp({"127.0.0.1", server->port()}, Deadline::after(std::chrono::seconds(10)))); }
  /// Sends `bytes` on a new connection, ends that direction, and returns everything that is received.
  std::string exchange(std::string bytes) {
    const StreamPtr stream = connect();
    auto talk = [](Stream& its_stream, std::string text) -> awaitable<std::string> {
      co_await its_stream.writeAll(text);
      co_await its_stream.shutdownWrite();
      co_return co_await test::readToEnd(its_stream);
    };
    return loop.run(talk(*stream, std::move(bytes)));
  }
  static awaitable<void> write(Stream& stream, std::string text) { co_await stream.writeAll(text); }

  test::TestLoop loop;
  std::unique_ptr<HttpServer> server;
  bool ended = false;
};

inline awaitable<void> responseTarget(Exchange& exchange) { co_await exchange.respond(200, {}, std::string(exchange.head().target)); }

/// How often `what` occurs.
inline int count(std::string_view text, std::string_view what) {
  int found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

inline constexpr const char* kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace swarm::net
