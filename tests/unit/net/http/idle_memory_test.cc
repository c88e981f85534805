// The memory of connections that wait for their next request.
#include <gtest/gtest.h>

#include "net/descriptors.h"
#include "net/http/http_server.h"
#include "support/coroutine_test.h"
#include "support/memory_use.h"
#include "support/net/raw_server.h"

namespace swarm::net {
namespace {

awaitable<void> responseTarget(Exchange& exchange) { co_await exchange.respond(200, {}, std::string(exchange.head().target)); }

TEST(HttpServerMemory, keepsNoMemoryOfLargeHeadsForIdleConnections) {
  constexpr std::size_t kConnections = 1000;
  ASSERT_GE(raiseDescriptorLimit(), 2 * kConnections + 100);
  test::TestLoop loop;
  HttpServer server(listenTcp(loop.executor(), {"127.0.0.1", 0}), responseTarget, {});
  loop.spawn(server.run());
  auto ask = [](Stream& stream) -> awaitable<void> {
    co_await stream.writeAll("GET /x HTTP/1.1\r\nHost: a\r\nX: " + std::string(60 * 1024, 'x') + "\r\n\r\n");
    co_await test::readUntil(stream, "/x");
  };
  std::vector<StreamPtr> idle;
  const std::size_t before = test::allocatedBytes();
  for (std::size_t i = 0; i < kConnections; ++i) {
    idle.push_back(loop.run(connectTcp({"127.0.0.1", server.port()}, Deadline::after(std::chrono::seconds(10)))));
    loop.run(ask(*idle.back()));
  }
  EXPECT_LT((test::allocatedBytes() - before) / kConnections, 32 * 1024U) << "bytes of a connection, both of its ends";
}

}  // namespace
}  // namespace swarm::net
