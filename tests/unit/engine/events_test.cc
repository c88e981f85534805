// How the event stream is kept open.
#include "engine/events.h"

#include <gtest/gtest.h>

#include "support/net/raw_server.h"

namespace swarm::engine {
namespace {

/// An Engine with an event stream that is always silent.
awaitable<void> serveSilence(net::StreamPtr stream, int) {
  for (;;) {
    const std::string head = co_await test::readUntil(*stream, "\r\n\r\n");
    if (head.empty()) co_return;
    if (head.contains("/events")) {
      co_await stream->writeAll("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      co_await test::readToEnd(*stream);
      co_return;
    }
    const std::string facts = R"({"ApiVersion":"1.41","MinAPIVersion":"1.12"})";
    co_await stream->writeAll("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(facts.size()) + "\r\n\r\n" + facts);
  }
}

TEST(EngineEvents, aSilentStreamIsOpenedAgainAndNotLost) {
  test::TestLoop loop;
  test::RawServer server(loop, serveSilence);
  Endpoint endpoint;
  endpoint.host = server.address().host;
  endpoint.port = server.address().port;
  Client client(endpoint);
  Events events(client, std::chrono::seconds(1), std::chrono::milliseconds(20));
  int opened = 0;
  std::string loss;
  events.follow(loop.executor(), {.filters = {},
                                  .catchUp = {},
                                  .connected = [&] { ++opened; },
                                  .event = [](const json::value&) {},
                                  .lost = [&](const std::string& why, bool) { loss = why; }});
  loop.runUntil([&] { return opened == 3; });
  EXPECT_EQ(loss, "");
  EXPECT_TRUE(client.connected());
  loop.run(events.close());
}

}  // namespace
}  // namespace swarm::engine
