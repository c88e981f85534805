// Kept-alive connections to an application: reused, checked, requests repeated where that is safe, closed in time.
#include "unit/gateway/fixture.h"

namespace swarm::gateway::testing {
namespace {

using KeptConnections = GatewayTest;

TEST_F(KeptConnections, keepsConnectionsOnBothSidesAndVerifiesACookieOnce) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    for (int i = 0; i < 20; ++i) EXPECT_EQ((co_await client.ask(get("/"))).body, "hello");
    EXPECT_EQ(application_->connections, 1);
    EXPECT_EQ(auth_.cookiesVerified, 1);
  });
}

TEST_F(KeptConnections, retriesOnceWhenAKeptConnectionHasGoneStale) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int connection) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(connection)));
      // The first connection reads the second request and closes without a response.
      if (connection == 1) (void)co_await application_->readHead(stream, buffer);
    };
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).body, "1");
    EXPECT_EQ((co_await client.ask(get("/"))).body, "2");
    EXPECT_EQ(gateway_->counters().retries, 1U);
  });
}

TEST_F(KeptConnections, repeatsAPostOnceWhenAKeptConnectionEndedWithoutAByte) {
  run([&]() -> awaitable<void> {
    std::vector<std::string> bodies;
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int connection) -> awaitable<void> {
      for (;;) {
        const auto head = co_await application_->readHead(stream, buffer);
        if (head.empty()) co_return;
        if (head.starts_with("POST")) {
          net::BodyReader body(stream, buffer, {.kind = net::BodyKind::Length, .length = 2});
          bodies.push_back(co_await net::readAll(body, 2));
          if (connection == 1) co_return;
        }
        co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
      }
    };
    const auto post = request("POST /", "Cookie: " + instanceCookie(ada_.principal) + "\r\nContent-Length: 2\r\n") + "ab";
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ((co_await client.ask(post)).status, 200);
    EXPECT_EQ(bodies, (std::vector<std::string>{"ab", "ab"}));
    EXPECT_EQ(gateway_->counters().retries, 1U);
  });
}

TEST_F(KeptConnections, repeatsNothingOnANewConnectionOrAfterTheFirstByte) {
  run([&]() -> awaitable<void> {
    std::string last_words;
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      auto head = co_await application_->readHead(stream, buffer);
      if (head.starts_with("GET /first")) {
        co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        (void)co_await application_->readHead(stream, buffer);
      }
      co_await stream.writeAll(last_words);
    };
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).status, 502);
    EXPECT_EQ(application_->connections, 1);
    last_words = "HTTP/1.1 ";
    EXPECT_EQ((co_await client.ask(get("/first"))).status, 200);
    EXPECT_EQ((co_await client.ask(get("/"))).status, 502);
    EXPECT_EQ(application_->connections, 2);
    EXPECT_EQ(gateway_->counters().retries, 0U);
  });
}

TEST_F(KeptConnections, sendsABodyThatItCanNotRepeatOverANewConnection) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      for (;;) {
        const auto text = co_await application_->readHead(stream, buffer);
        if (text.empty()) co_return;
        net::RequestHead head;
        EXPECT_TRUE(net::parseRequestHead(text, head));
        net::BodyReader body(stream, buffer, head.body);
        (void)co_await net::readAll(body, 100);
        co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
      }
    };
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    const auto post = request("POST /", "Cookie: " + instanceCookie(ada_.principal) + "\r\nTransfer-Encoding: chunked\r\n");
    EXPECT_EQ((co_await client.ask(post + "2\r\nab\r\n0\r\n\r\n")).status, 200);
    EXPECT_EQ(application_->connections, 2);
  });
}

TEST_F(KeptConnections, keepsAConnectionNoLongerThanTheApplicationAllows) {
  run([&]() -> awaitable<void> {
    application_->script = application_->responding("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=3\r\nContent-Length: 0\r\n\r\n");
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    clock_.advance(std::chrono::milliseconds(1500));
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ(application_->connections, 1);
    clock_.advance(std::chrono::milliseconds(2500));
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ(application_->connections, 2);
    application_->script = application_->responding("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n");
    clock_.advance(std::chrono::seconds(10));
    EXPECT_EQ((co_await client.ask(get("/", {}, "1.ws"))).status, 200);
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().idleConnections == 0; }));
  });
}

TEST_F(KeptConnections, checksThatAKeptConnectionIsOpenBeforeAPost) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int connection) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(connection)));
    };
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).body, "1");
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 0; }));
    const auto response =
        co_await client.ask(request("POST /", "Cookie: " + instanceCookie(ada_.principal) + "\r\nContent-Length: 2\r\n") + "ab");
    EXPECT_EQ(response.body, "2");
  });
}

TEST_F(KeptConnections, keepsNoBuffersOnceItIsQuiet) {
  rebuildGateway({.sweepInterval = std::chrono::milliseconds(500)});
  run([&]() -> awaitable<void> {
    application_->script = application_->responding("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n");
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).body, "x");
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().spareBuffers == 1; }));
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().spareBuffers == 0; }));
    EXPECT_EQ((co_await client.ask(get("/"))).body, "x");
  });
}

TEST_F(KeptConnections, closesIdleConnectionsInTime) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ(gateway_->counters().idleConnections, 1U);
    clock_.advance(std::chrono::seconds(10));
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ(application_->connections, 2);
    clock_.advance(std::chrono::seconds(10));
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().idleConnections == 0; }));
  });
}

}  // namespace
}  // namespace swarm::gateway::testing
