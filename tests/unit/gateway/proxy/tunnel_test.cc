// Upgraded connections: bytes in both directions, and what ends them.
#include "unit/gateway/fixture.h"

namespace swarm::gateway::testing {
namespace {

constexpr std::string_view kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";

class Tunnels : public GatewayTest {
 protected:
  Tunnels() { acceptUpgrades(); }

  void acceptUpgrades() {
    application_->script = [this](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      const auto head = co_await application_->readHead(stream, buffer);
      if (head.find("Upgrade: websocket") == std::string::npos) {
        co_await stream.writeAll(std::string_view("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n"));
        co_return;
      }
      // Response and first bytes in one write: none may be lost between head and tunnel.
      co_await stream.writeAll(std::string(kSwitching) + "hello");
      std::vector<char> piece(64 * 1024);
      std::string_view ahead = buffer.data();
      if (!ahead.empty()) co_await stream.writeAll(ahead);
      for (;;) {
        const auto read = co_await stream.readSome(asio::buffer(piece));
        if (read.error) co_return;
        if ((co_await stream.writeAll(std::string_view(piece.data(), read.bytes))).error) co_return;
      }
    };
  }

  std::string upgrade(std::string_view host = "ws", const std::optional<Principal>& who = std::nullopt) {
    return request("GET /socket",
                   "Cookie: " + instanceCookie(who.value_or(ada_.principal), host) +
                       "\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nOrigin: http://" + hostName(host) +
                       "\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n",
                   host);
  }
  awaitable<Client> open(std::string_view host = "ws", std::optional<Principal> who = std::nullopt) {
    auto client = co_await connect();
    const auto response = co_await client.ask(upgrade(host, who));
    EXPECT_EQ(response.status, 101);
    EXPECT_EQ(response.header("Sec-WebSocket-Accept"), "x");
    EXPECT_EQ(co_await client.readExactly(5), "hello");
    co_return client;
  }
};

TEST_F(Tunnels, areCountedForTheirUserAndTheirWorkspace) {
  GatewayOptions limited;
  limited.tunnels = std::make_shared<OpenBudget>(OpenLimits{.perUser = 2, .perInstance = 100});
  rebuildGateway(limited);
  acceptUpgrades();
  run([&]() -> awaitable<void> {
    auto first = std::make_optional(co_await open());
    auto second = co_await open();
    auto refused = co_await connect();
    const auto response = co_await refused.ask(upgrade());
    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(response.header("Retry-After"), "5");
    EXPECT_NE(response.body.find("Limit of 2 open streams and tunnels of one user"), std::string::npos);
    auto plain = co_await connect();
    EXPECT_EQ((co_await plain.ask(get("/page"))).status, 426) << "a refused upgrade is not a tunnel";
    first.reset();
    EXPECT_TRUE(co_await eventually([&] { return limited.tunnels->open() == 1; })) << "the end of a tunnel releases its share";
    auto third = co_await open();
    EXPECT_EQ(limited.tunnels->open(), 2u);
  });
}

TEST_F(Tunnels, ofAPortLeaveSomeForVscode) {
  GatewayOptions limited;
  limited.tunnels = std::make_shared<OpenBudget>(OpenLimits{.perUser = 100, .perInstance = 4, .reservedFor = "VS Code"});
  rebuildGateway(limited);
  acceptUpgrades();
  run([&]() -> awaitable<void> {
    std::vector<Client> of_port;
    for (int i = 0; i < 3; ++i) of_port.push_back(co_await open("80.ws"));
    auto refused = co_await connect();
    EXPECT_EQ((co_await refused.ask(upgrade("80.ws"))).status, 429);
    auto vscode = co_await open();
    EXPECT_EQ(limited.tunnels->open(), 4u);
  });
}

TEST_F(Tunnels, carryBytesBothWaysFromTheFirstOne) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    co_await client.send(upgrade() + "early");  // sent before the response arrived
    EXPECT_EQ((co_await client.receive()).status, 101);
    EXPECT_EQ(co_await client.readExactly(10), "helloearly");
    const std::string large(3'000'000, 'y');
    asio::co_spawn(context_, client.send(large), asio::detached);
    EXPECT_EQ(co_await client.readExactly(large.size()), large);
    const auto& head = application_->heads.at(0);
    EXPECT_NE(head.find("Origin: http://" + hostName("ws") + "\r\n"), std::string::npos);
    EXPECT_NE(head.find("Host: " + hostName("ws") + "\r\n"), std::string::npos);
    EXPECT_EQ(head.find("swarm_instance"), std::string::npos);
  });
}

TEST_F(Tunnels, workOnPortsToo) {
  run([&]() -> awaitable<void> {
    auto client = co_await open("5173.ws");
    co_await client.send("hmr");
    EXPECT_EQ(co_await client.readExactly(3), "hmr");
    EXPECT_EQ(application_->ports.at(0), 5173);
  });
}

TEST_F(Tunnels, areRefusedWithoutACookie) {
  run([&]() -> awaitable<void> {
    auto client = co_await connect();
    const auto response = co_await client.ask(request("GET /", "Accept: text/html\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"));
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(application_->connections, 0);
  });
}

TEST_F(Tunnels, forwardARefusal) {
  run([&]() -> awaitable<void> {
    application_->script = application_->responding("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    auto client = co_await connect();
    const auto response = co_await client.ask(upgrade());
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.body, "no");
    EXPECT_TRUE(response.keepAlive);
  });
}

TEST_F(Tunnels, endWithTheOtherSide) {
  run([&]() -> awaitable<void> {
    auto client = co_await open();
    client.stream().close();
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 0 && gateway_->counters().openExchanges == 0; }));
    application_->script = application_->responding(std::string(kSwitching));
    auto other = co_await connect();
    EXPECT_EQ((co_await other.ask(upgrade("1.ws"))).status, 101);
    application_->stop();
  });
}

TEST_F(Tunnels, areCutAtOnceWhenTheSessionEnds) {
  run([&]() -> awaitable<void> {
    const auto second = auth_.signIn("ada");
    auto ended = co_await open("ws", ada_.principal);
    auto stays = co_await open("ws", second.principal);
    auto port = co_await open("8080.ws", ada_.principal);
    co_await auth_.logout(ada_.principal);
    EXPECT_TRUE(co_await ended.isClosed());
    EXPECT_TRUE(co_await port.isClosed());
    co_await stays.send("still here");
    EXPECT_EQ(co_await stays.readExactly(10), "still here");
  });
}

TEST_F(Tunnels, areCutWhenTheRouteMovesAndOnlyThen) {
  run([&]() -> awaitable<void> {
    publish({}, "other");
    auto moved = co_await open("ws");
    auto stays = co_await open("other");
    publish([](InstanceRoute& route) { route.step = "no reason to cut"; });
    co_await moved.send("a");
    EXPECT_EQ(co_await moved.readExactly(1), "a");
    publish([](InstanceRoute& route) { route.epoch = 2; });
    EXPECT_TRUE(co_await moved.isClosed());
    co_await stays.send("b");
    EXPECT_EQ(co_await stays.readExactly(1), "b");
    remove("other");
    EXPECT_TRUE(co_await stays.isClosed());
  });
}

TEST_F(Tunnels, areReportedAsUseWhileTheyAreOpen) {
  int uses = 0;
  routes_.onUse([&](const InstanceId& instance_id) {
    EXPECT_EQ(instance_id, routes_.current()->at("ws")->instanceId);
    ++uses;
  });
  run([&]() -> awaitable<void> {
    auto client = co_await open();
    EXPECT_TRUE(co_await eventually([&] { return uses == 1; }));
    clock_.advance(std::chrono::seconds(30));
    EXPECT_TRUE(co_await eventually([&] { return uses == 2; }));
  });
}

TEST_F(Tunnels, areCutWhenTheSessionExpires) {
  run([&]() -> awaitable<void> {
    auto client = co_await open();
    clock_.advance(std::chrono::hours(2));
    EXPECT_TRUE(co_await client.isClosed());
  });
}

TEST_F(Tunnels, areCutWithTheirEventStreams) {
  run([&]() -> awaitable<void> {
    application_->script = [&](net::Stream& stream, net::ReadBuffer& buffer, int) -> awaitable<void> {
      (void)co_await application_->readHead(stream, buffer);
      co_await stream.writeAll(
          std::string_view("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"));
      (void)co_await application_->readHead(stream, buffer);
    };
    auto client = co_await connect();
    co_await client.send(get("/events"));
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 1; }));
    co_await auth_.logout(ada_.principal);
    const auto response = co_await client.receive();
    EXPECT_FALSE(response.complete && response.status == 200);
  });
}

TEST_F(Tunnels, areCutByTheServersEnd) {
  run([&]() -> awaitable<void> {
    auto client = co_await open();
    server_->stop();
    EXPECT_TRUE(co_await client.isClosed());
    EXPECT_TRUE(co_await eventually([&] { return application_->open == 0; }));
  });
}

}  // namespace
}  // namespace swarm::gateway::testing
