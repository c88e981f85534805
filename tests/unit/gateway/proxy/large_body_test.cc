// Large bodies between plain sockets, which are spliced: complete, in order, repeatedly on kept connections, and reported as truncated when
// they break.
#include "unit/gateway/fixture.h"

namespace swarm::gateway::testing {
namespace {

constexpr std::size_t kMiB = 1 << 20;

// Positions that a mistake could confuse differ (the period is a prime), so that a lost, doubled or moved piece is
// seen.
std::string pattern(std::size_t bytes, std::uint32_t seed) {
  std::string period(std::min<std::size_t>(bytes, 99'991), '\0');
  std::uint32_t state = seed;
  for (char& byte : period) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24U);
  }
  std::string text;
  text.reserve(bytes);
  while (text.size() < bytes) text.append(period, 0, bytes - text.size());
  return text;
}

std::string responseOf(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class LargeBodies : public GatewayTest {
 protected:
  std::string upload(std::size_t length) {
    return request("POST /", "Cookie: " + instanceCookie(ada_.principal) + "\r\nContent-Length: " + std::to_string(length) + "\r\n");
  }
};

TEST_F(LargeBodies, followEachOtherOnKeptConnections) {
  run([&]() -> awaitable<void> {
    const std::vector<std::size_t> sizes = {3 * kMiB, 10, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 200'000, 0, kMiB, 5};
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      for (std::uint32_t i = 0; !(co_await application_->readHead(stream, buffer)).empty(); ++i)
        co_await stream.writeAll(responseOf(pattern(sizes.at(i), i)));
    };
    auto client = co_await connect();
    for (std::uint32_t i = 0; i < sizes.size(); ++i) {
      const auto response = co_await client.ask(get("/"));
      EXPECT_TRUE(response.complete);
      EXPECT_TRUE(response.body == pattern(sizes[i], i)) << sizes[i];
    }
    EXPECT_EQ(application_->connections, 1);
  });
}

TEST_F(LargeBodies, whoseHeadComesAloneAreWholeToo) {
  run([&]() -> awaitable<void> {
    const auto body = pattern(2 * kMiB, 3);
    bool head_arrived = false;
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(std::string_view(responseOf(body)).substr(0, responseOf(body).size() - body.size()));
      EXPECT_TRUE(co_await eventually([&] { return head_arrived; }));
      co_await stream.writeAll(body);
      (void)co_await application_->readHead(stream, buffer);
    };
    auto client = co_await connect();
    co_await client.send(get("/"));
    net::ReadBuffer buffer;
    const auto size = co_await net::readHead(client.stream(), buffer);
    EXPECT_TRUE(size && *size > 0);
    buffer.consume(*size);
    EXPECT_TRUE(buffer.empty());
    head_arrived = true;
    EXPECT_TRUE(co_await client.readExactly(body.size()) == body);
  });
}

TEST_F(LargeBodies, thatAreTruncatedCloseTheClientsConnectionAndTheirOwn) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + pattern(700'000, 1));
    };
    for (int round = 1; round <= 2; ++round) {
      auto client = co_await connect();
      const auto response = co_await client.ask(get("/"));
      EXPECT_EQ(response.status, 200);
      EXPECT_FALSE(response.complete);
      EXPECT_TRUE(response.body == pattern(700'000, 1));
      EXPECT_TRUE(co_await client.isClosed());
      EXPECT_EQ(application_->connections, round);
    }
  });
}

TEST_F(LargeBodies, whoseClientLeavesEndTheUpstreamAndAffectNoOther) {
  run([&]() -> awaitable<void> {
    const auto body = pattern(48 * kMiB, 5);
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int connection) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(responseOf(connection == 1 ? body : pattern(kMiB, 6)));
    };
    {
      auto client = co_await connect();
      co_await client.send(get("/"));
      (void)co_await client.readExactly(100'000);
      client.stream().close();
    }
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 0 && gateway_->counters().openExchanges == 0; }));
    auto client = co_await connect();
    const auto response = co_await client.ask(get("/"));
    EXPECT_TRUE(response.complete);
    EXPECT_TRUE(response.body == pattern(kMiB, 6));
    EXPECT_EQ(application_->connections, 2);
  });
}

TEST_F(LargeBodies, areCutWhenTheirInstanceIsReplaced) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + pattern(300'000, 1));
      (void)co_await application_->readHead(stream, buffer);  // sends nothing more, and keeps the connection
    };
    auto client = co_await connect();
    co_await client.send(get("/"));
    net::ReadBuffer buffer;
    const auto size = co_await net::readHead(client.stream(), buffer);
    EXPECT_TRUE(size && *size > 0);
    buffer.consume(*size);
    (void)co_await client.readExactly(300'000 - buffer.data().size());
    publish([](InstanceRoute& route) { route.epoch = 2; });
    EXPECT_TRUE(co_await client.isClosed());
  });
}

TEST_F(LargeBodies, goUpWholeEachOverAConnectionThatCanNotHaveGoneStale) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      for (;;) {
        const auto text = co_await application_->readHead(stream, buffer);
        if (text.empty()) co_return;
        net::RequestHead head;
        EXPECT_TRUE(net::parseRequestHead(text, head));
        net::BodyReader body(stream, buffer, head.body);
        const auto got = co_await net::readAll(body, 8 * kMiB);
        co_await stream.writeAll(responseOf(got));
      }
    };
    auto client = co_await connect();
    for (std::uint32_t i = 1; i <= 4; ++i) {
      const auto body = pattern(i * kMiB + i, i);
      const auto response = co_await client.ask(upload(body.size()) + body);
      EXPECT_TRUE(response.complete);
      EXPECT_TRUE(response.body == body) << i;
    }
    EXPECT_EQ(application_->connections, 4);
    EXPECT_EQ((co_await client.ask(get("/"))).status, 200);
    EXPECT_EQ(application_->connections, 4) << "later requests may use their connections";
  });
}

TEST_F(LargeBodies, withAnEarlyResponseDoNotDelayItForTheClient) {
  run([&]() -> awaitable<void> {
    bool responded = false;
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int connection) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(std::string_view(connection == 1 ? "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig"
                                                                : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"));
      responded = true;
      (void)co_await net::readHead(stream, buffer);
    };
    auto client = co_await connect();
    const auto body = pattern(8 * kMiB, 9);
    co_await client.send(upload(body.size()) + body.substr(0, kMiB));
    EXPECT_TRUE(co_await eventually([&] { return responded; }));
    auto send_rest = [](net::Stream& stream, std::string rest) -> awaitable<void> { co_await stream.writeAll(rest); };
    asio::co_spawn(context_, send_rest(client.stream(), body.substr(kMiB)), asio::detached);
    const auto response = co_await client.receive("POST");
    EXPECT_EQ(response.status, 413);
    EXPECT_EQ(response.body, "big");
    client.stream().close();
    EXPECT_TRUE(co_await eventually([&] { return gateway_->counters().openExchanges == 0; }));
  });
}

}  // namespace
}  // namespace swarm::gateway::testing
