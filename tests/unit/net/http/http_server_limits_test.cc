// HttpServer at its limits of connections and of waiting heads.
#include <arpa/inet.h>
#include <fcntl.h>

#include "async/deadline.h"
#include "net/stream/fd_stream.h"
#include "unit/net/http/fixture.h"

namespace swarm::net {
namespace {

/// A server whose requests to /held end when the test releases them.
class LimitedServerTest : public HttpServerTest {
 protected:
  void startLimited(HttpServerOptions options) {
    start(
        [this](Exchange& e) -> awaitable<void> {
          if (e.head().target == "/held") {
            ++held;
            while (!released) co_await async::sleepFor(milliseconds(1));
          }
          if (e.head().method == "POST") co_await readAll(e.body(), 100);
          co_await e.respond(200, {}, std::string(e.head().target));
        },
        options);
  }
  /// A connection from another address of this machine.
  StreamPtr connectFrom(const char* address) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    ::inet_pton(AF_INET, address, &name.sin_addr);
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    ::inet_pton(AF_INET, "127.0.0.1", &name.sin_addr);
    name.sin_port = htons(server->port());
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    return std::make_unique<FdStream>(loop.executor(), fd);
  }
  std::string get(Stream& stream) {
    loop.run(write(stream, kGet));
    return loop.run(test::readUntil(stream, "/x"));
  }
  bool isClosed(Stream& stream) { return loop.run(test::readToEnd(stream)).empty(); }

  static constexpr const char* kHeldBody = "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";
  int held = 0;
  bool released = false;
};

TEST_F(LimitedServerTest, holdsConnectionsBeyondItsLimitBackUntilOneHasBeenServed) {
  startLimited({.maxConnections = 1});
  const StreamPtr first = connect();
  loop.run(write(*first, "GET /held HTTP/1.1\r\nHost: a\r\n\r\n"));
  loop.runUntil([&] { return held == 1; });
  const StreamPtr second = connect();
  loop.run(write(*second, kGet));
  EXPECT_TRUE(second->isIdle());
  released = true;
  EXPECT_NE(loop.run(test::readUntil(*second, "/x")).find("200 OK"), std::string::npos);
}

TEST_F(LimitedServerTest, answersOnWhileManyBodiesAreHeldBack) {
  startLimited({.maxConnections = 20, .maxPerAddress = 20});
  std::vector<StreamPtr> attackers;
  for (int i = 0; i < 100; ++i) {
    attackers.push_back(connect());
    loop.run(write(*attackers.back(), kHeldBody));
  }
  const StreamPtr guest = connect();
  EXPECT_NE(get(*guest).find("200 OK"), std::string::npos);
  EXPECT_TRUE(isClosed(*attackers.front())) << "the connection that had waited longest was closed";
  EXPECT_EQ(attackers.back()->peerState(), PeerState::Open) << "and no more than necessary";
}

TEST_F(LimitedServerTest, takesNoConnectionOfAnotherAddressForOneThatIsFull) {
  startLimited({.maxConnections = 100, .maxPerAddress = 3});
  const StreamPtr guest = connectFrom("127.0.0.2");
  EXPECT_NE(get(*guest).find("200 OK"), std::string::npos);
  std::vector<StreamPtr> attackers;
  for (int i = 0; i < 10; ++i) {
    attackers.push_back(connect());
    loop.run(write(*attackers.back(), kHeldBody));
  }
  EXPECT_TRUE(isClosed(*attackers.front()));
  EXPECT_NE(get(*guest).find("200 OK"), std::string::npos);
}

TEST_F(LimitedServerTest, refusesAnAddressWhoseConnectionsAreAllBeingServed) {
  startLimited({.maxPerAddress = 2});
  std::vector<StreamPtr> busy;
  for (int i = 0; i < 2; ++i) {
    busy.push_back(connect());
    loop.run(write(*busy.back(), "GET /held HTTP/1.1\r\nHost: a\r\n\r\n"));
  }
  loop.runUntil([&] { return held == 2; });
  const StreamPtr refused = connect();
  EXPECT_TRUE(isClosed(*refused));
  const StreamPtr guest = connectFrom("127.0.0.2");
  EXPECT_NE(get(*guest).find("200 OK"), std::string::npos);
  released = true;
}

TEST_F(LimitedServerTest, doesNotCountTheClientsOfAProxyAsOne) {
  startLimited({.maxPerAddress = 2, .isProxy = [](std::string_view address) { return address == "127.0.0.1"; }});
  std::vector<StreamPtr> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(connect());
    loop.run(write(*clients.back(), kHeldBody));
  }
  const StreamPtr guest = connect();
  EXPECT_NE(get(*guest).find("200 OK"), std::string::npos);
  for (const StreamPtr& client : clients) EXPECT_EQ(client->peerState(), PeerState::Open);
}

TEST_F(LimitedServerTest, countsRequestsThroughAProxyForTheirClients) {
  startLimited(
      {.maxPerAddress = 2,
       .isProxy = [](std::string_view address) { return address == "127.0.0.1"; },
       .clientOf = [](const HeaderViews& headers, std::string_view) { return std::string(headers.find("X-Client").value_or("")); }});
  auto request = [](std::string client, std::string path) {
    return "GET " + path + " HTTP/1.1\r\nHost: a\r\nX-Client: " + client + "\r\n\r\n";
  };
  std::vector<StreamPtr> busy;
  for (int i = 0; i < 2; ++i) {
    busy.push_back(connect());
    loop.run(write(*busy.back(), request("192.0.2.1", "/held")));
  }
  loop.runUntil([&] { return held == 2; });
  const StreamPtr third = connect();
  loop.run(write(*third, request("192.0.2.1", "/x")));
  EXPECT_TRUE(loop.run(test::readToEnd(*third)).starts_with("HTTP/1.1 503 "));
  const StreamPtr guest = connect();
  loop.run(write(*guest, request("192.0.2.2", "/x")));
  EXPECT_NE(loop.run(test::readUntil(*guest, "/x")).find("200 OK"), std::string::npos);
  released = true;
}

TEST_F(HttpServerTest, limitsTheLargeHeadsThatWaitForOneAddress) {
  start(responseTarget, {.maxPerAddress = 10, .maxHeadBytesPerAddress = 100'000});
  const std::string begun = "GET /x HTTP/1.1\r\nHost: a\r\nX: " + std::string(60'000, 'x');
  std::vector<StreamPtr> held;
  for (int i = 0; i < 2; ++i) {
    held.push_back(connect());
    loop.run(write(*held.back(), begun));
  }
  loop.runUntil([&] { return exchange(begun + "\r\n\r\n").starts_with("HTTP/1.1 503 "); });
  EXPECT_EQ(count(exchange(kGet), "HTTP/1.1 200 "), 1) << "a usual head needs nothing more than its connection";
  held.clear();
  loop.runUntil([&] { return exchange(begun + "\r\n\r\n").starts_with("HTTP/1.1 200 "); });
}

}  // namespace
}  // namespace swarm::net
