// HttpServer against raw clients: order, reuse, bodies left unread, refusals, deadlines, stopping.
#include "net/http/http_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>

#include "async/deadline.h"
#include "base/error.h"
#include "net/stream/fd_stream.h"
#include "support/coroutine_test.h"
#include "support/net/raw_server.h"

namespace swarm::net {
namespace {

using std::chrono::milliseconds;
using test::TestLoop;
Deadline soon() { return Deadline::after(std::chrono::seconds(10)); }

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
  StreamPtr connect() { return loop.run(connectTcp({"127.0.0.1", server->port()}, soon())); }
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

  TestLoop loop;
  std::unique_ptr<HttpServer> server;
  bool ended = false;
};

awaitable<void> answerTarget(Exchange& exchange) { co_await exchange.respond(200, {}, std::string(exchange.head().target)); }
awaitable<void> answerBody(Exchange& exchange) {
  std::string body = co_await readAll(exchange.body(), 1 << 20);
  co_await exchange.respond(200, {}, body);
}

int count(std::string_view text, std::string_view what) {
  int found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

constexpr const char* kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(HttpServerTest, answersPipelinedRequestsInOrder) {
  start(answerTarget);
  const std::string text =
      exchange("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(text, "HTTP/1.1 200 OK\r\n"), 3);
  EXPECT_LT(text.find("/1"), text.find("/2"));
  EXPECT_LT(text.find("/2"), text.find("/3"));
}

TEST_F(HttpServerTest, answersPipelinedRequestsWithLargeHeadsInOrder) {
  start(answerTarget);
  std::string requests;
  for (const char* target : {"/1", "/2", "/3"})
    requests += "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\nX: " + std::string(60'000, 'x') + "\r\n\r\n";
  const std::string text = exchange(requests + kGet);
  EXPECT_EQ(count(text, "HTTP/1.1 200 OK\r\n"), 4);
  EXPECT_TRUE(text.ends_with("/x"));
}

TEST_F(HttpServerTest, handsAConnectionOverAfterALargeHead) {
  start([](Exchange& e) -> awaitable<void> {
    if (e.head().upgrade.empty()) co_return co_await e.respond(200, {}, "whole");
    const StreamPtr stream = co_await e.upgrade({{"Upgrade", "echo"}});
    co_await stream->writeAll(co_await test::readToEnd(*stream));
  });
  const std::string large = " HTTP/1.1\r\nHost: a\r\nX: " + std::string(60'000, 'x') + "\r\n";
  const std::string text = exchange("GET /1" + large + "\r\nGET /2" + large + "Connection: Upgrade\r\nUpgrade: echo\r\n\r\nread ahead");
  EXPECT_EQ(count(text, "HTTP/1.1 "), 2);
  EXPECT_TRUE(text.ends_with("\r\n\r\nread ahead")) << text;
}

TEST_F(HttpServerTest, limitsTheLargeHeadsThatWaitForOneAddress) {
  start(answerTarget, {.maxPerAddress = 10, .maxHeadBytesPerAddress = 100'000});
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

TEST_F(HttpServerTest, readsARequestThatArrivesByteByByte) {
  start(answerBody);
  const StreamPtr stream = connect();
  auto trickle = [](Stream& its_stream) -> awaitable<std::string> {
    for (const char c : std::string("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")) {
      co_await its_stream.writeAll(std::string_view(&c, 1));
      co_await async::sleepFor(milliseconds(0));
    }
    co_return co_await test::readUntil(its_stream, "abc");
  };
  EXPECT_NE(loop.run(trickle(*stream)).find("Content-Length: 3"), std::string::npos);
}

TEST_F(HttpServerTest, sendsNoBodyToHeadAndSaysItsLength) {
  start([](Exchange& e) -> awaitable<void> { co_await e.respond(200, {}, "hello"); });
  const std::string text = exchange("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(text.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST_F(HttpServerTest, closesOnTheClientsRequest) {
  start(answerTarget);
  const std::string text = exchange("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(text, "HTTP/1.1 "), 1);
  EXPECT_NE(text.find("Connection: close\r\n"), std::string::npos);
}

TEST_F(HttpServerTest, keepsAnOldClientsConnectionOnlyOnRequest) {
  start(answerTarget);
  const std::string old = "GET /1 HTTP/1.0\r\nHost: a\r\n";
  EXPECT_EQ(count(exchange(old + "\r\n" + old + "\r\n"), "HTTP/1.1 "), 1);
  const std::string text = exchange(old + "Connection: keep-alive\r\n\r\n" + old + "\r\n");
  EXPECT_EQ(count(text, "HTTP/1.1 "), 2);
  EXPECT_NE(text.find("Connection: keep-alive"), std::string::npos);
}

TEST_F(HttpServerTest, drainsASmallBodyThatTheHandlerLeft) {
  start(answerTarget);
  EXPECT_EQ(count(exchange("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x') + kGet), "HTTP/1.1 200"),
            2);
}

TEST_F(HttpServerTest, closesRatherThanDrainALargeBody) {
  start(answerTarget);
  EXPECT_EQ(count(exchange("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + std::string(200000, 'x') + kGet), "HTTP/1.1 "),
            1);
}

TEST_F(HttpServerTest, sendsContinueWhenTheHandlerReadsTheBody) {
  start(answerBody);
  const StreamPtr stream = connect();
  auto talk = [](Stream& its_stream) -> awaitable<std::string> {
    co_await its_stream.writeAll(std::string_view("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
    const std::string interim = co_await test::readUntil(its_stream, "\r\n\r\n");
    EXPECT_EQ(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    co_await its_stream.writeAll(std::string_view("abc"));
    co_return co_await test::readUntil(its_stream, "abc");
  };
  EXPECT_TRUE(loop.run(talk(*stream)).starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, sendsNoContinueWhenTheHandlerRefuses) {
  start([](Exchange& e) -> awaitable<void> { co_await e.respond(413, {}, "no"); });
  const StreamPtr stream = connect();
  auto talk = [](Stream& its_stream) -> awaitable<std::string> {
    co_await its_stream.writeAll(std::string_view("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
    co_return co_await test::readToEnd(its_stream);
  };
  const std::string text = loop.run(talk(*stream));
  EXPECT_TRUE(text.starts_with("HTTP/1.1 413 ")) << text;
}

TEST_F(HttpServerTest, streamsInChunks) {
  start([](Exchange& e) -> awaitable<void> {
    co_await e.begin(200, {{"Content-Type", "text/plain"}});
    EXPECT_TRUE(co_await e.write("hello"));
    EXPECT_TRUE(co_await e.write(""));
    EXPECT_TRUE(co_await e.write(std::string(16, 'x')));
    co_await e.finish();
  });
  EXPECT_TRUE(exchange(kGet).ends_with("\r\n\r\n5\r\nhello\r\n10\r\nxxxxxxxxxxxxxxxx\r\n0\r\n\r\n"));
}

TEST_F(HttpServerTest, streamsToAnOldClientUntilClose) {
  start([](Exchange& e) -> awaitable<void> {
    co_await e.begin(200, {});
    co_await e.write("hello");
    co_await e.finish();
  });
  const std::string text = exchange("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(text.ends_with("\r\n\r\nhello"));
  EXPECT_EQ(text.find("chunked"), std::string::npos);
}

TEST_F(HttpServerTest, answersAThrowingHandlerWith500AndCloses) {
  start([](Exchange&) -> awaitable<void> {
    throw std::runtime_error("secret detail");
    co_return;
  });
  const std::string text = exchange(std::string(kGet) + kGet);
  EXPECT_EQ(count(text, "HTTP/1.1 500 "), 1);
  EXPECT_EQ(text.find("secret"), std::string::npos);
}

TEST_F(HttpServerTest, cutsAStreamedAnswerWhoseHandlerThrows) {
  start([](Exchange& e) -> awaitable<void> {
    co_await e.begin(200, {});
    co_await e.write("part");
    throw std::runtime_error("broken");
  });
  const std::string text = exchange(kGet);
  EXPECT_NE(text.find("part"), std::string::npos);
  EXPECT_FALSE(text.ends_with("0\r\n\r\n"));
}

TEST_F(HttpServerTest, refusesHeadersThatWouldBreakTheMessage) {
  start([](Exchange& e) -> awaitable<void> { co_await e.respond(200, {{"X", "a\r\nSet-Cookie: b"}}, ""); });
  const std::string text = exchange(kGet);
  EXPECT_TRUE(text.starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(text.find("Set-Cookie"), std::string::npos);
}

TEST_F(HttpServerTest, refusesBadHeadsWithTheirStatusAndCloses) {
  start(answerTarget);
  EXPECT_TRUE(exchange("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(exchange("GET / HTTP/1.1\nHost: a\n\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(exchange("\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(exchange("GET / HTTP/3.0\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 505 "));
  EXPECT_TRUE(exchange("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(70'000, 'x')).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(exchange("GET /" + std::string(70'000, 'x')).starts_with("HTTP/1.1 414 "));
  EXPECT_EQ(count(exchange("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n" + std::string(kGet)), "HTTP/1.1 "), 1);
}

TEST_F(HttpServerTest, badChunksEndTheConnection) {
  start(answerTarget);
  EXPECT_EQ(count(exchange("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + std::string(kGet)), "HTTP/1.1 "), 1);
}

TEST_F(HttpServerTest, givesASlowHeadUpAfterItsTimeout) {
  start(answerTarget, {.headTimeout = milliseconds(20)});
  const StreamPtr stream = connect();
  loop.run(write(*stream, "GET / HT"));
  EXPECT_TRUE(loop.run(test::readToEnd(*stream)).starts_with("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, closesAnIdleConnectionWithoutAWord) {
  start(answerTarget, {.keepAliveTimeout = milliseconds(20)});
  const StreamPtr stream = connect();
  loop.run(write(*stream, kGet));
  const std::string text = loop.run(test::readToEnd(*stream));
  EXPECT_EQ(count(text, "HTTP/1.1 "), 1);
}

TEST_F(HttpServerTest, handsAnUpgradedConnectionOverWithWhatWasReadAhead) {
  start([](Exchange& e) -> awaitable<void> {
    const StreamPtr stream = co_await e.upgrade({{"Upgrade", "echo"}});
    const std::string text = co_await test::readExactly(*stream, 5);
    co_await stream->writeAll(text);
  });
  const std::string text = exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello");
  EXPECT_EQ(text, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello");
}

TEST_F(HttpServerTest, servesOnAfterARawAnswer) {
  start([](Exchange& e) -> awaitable<void> {
    co_await e.stream().writeAll(std::string_view("HTTP/1.1 204 No Content\r\n\r\n"));
    e.answeredRaw(Exchange::Reuse::KeepAlive);
  });
  EXPECT_EQ(count(exchange(std::string(kGet) + kGet), "HTTP/1.1 204"), 2);
}

TEST_F(HttpServerTest, givesUpOnABodyThatNeverComes) {
  std::string reason;
  start(
      [&](Exchange& e) -> awaitable<void> {
        try {
          co_await readAll(e.body(), 1000);
        } catch (const Error& error) {
          reason = error.message();
        }
        co_await e.respond(408, {}, reason);
      },
      {.bodyPatience = {.silence = milliseconds(20)}});
  const StreamPtr stream = connect();
  loop.run(write(*stream, "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart"));
  const std::string text = loop.run(test::readToEnd(*stream));
  EXPECT_TRUE(text.starts_with("HTTP/1.1 408 ")) << text;
  EXPECT_EQ(reason, "The request's body took too long to arrive.");
}

TEST_F(HttpServerTest, isPatientOnceTheRequestIsWhole) {
  // A long-lived stream: the client is silent for far longer than allowed during a body.
  start(
      [&](Exchange& e) -> awaitable<void> {
        co_await readAll(e.body(), 1000);
        char byte = 0;
        const IoResult got = co_await e.stream().readSome(asio::buffer(&byte, 1));
        co_await e.respond(200, {}, got.error ? got.error.message() : std::string(1, byte));
      },
      {.bodyPatience = {.silence = milliseconds(10)}});
  const StreamPtr stream = connect();
  auto talk = [](Stream& its_stream) -> awaitable<std::string> {
    co_await its_stream.writeAll(std::string_view("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"));
    co_await async::sleepFor(milliseconds(100));
    co_await its_stream.writeAll(std::string_view("y"));
    co_return co_await test::readUntil(its_stream, "\r\n\r\ny");
  };
  EXPECT_TRUE(loop.run(talk(*stream)).starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, isPatientWithAConnectionThatWasTakenOver) {
  start(
      [](Exchange& e) -> awaitable<void> {
        const StreamPtr stream = co_await e.upgrade({{"Upgrade", "echo"}});
        const std::string text = co_await test::readExactly(*stream, 5);
        co_await stream->writeAll(text);
      },
      {.headTimeout = milliseconds(10), .keepAliveTimeout = milliseconds(10), .bodyPatience = {.silence = milliseconds(10)}});
  const StreamPtr stream = connect();
  auto talk = [](Stream& its_stream) -> awaitable<std::string> {
    co_await its_stream.writeAll(std::string_view("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"));
    co_await test::readUntil(its_stream, "\r\n\r\n");
    co_await async::sleepFor(milliseconds(100));
    co_await its_stream.writeAll(std::string_view("hello"));
    co_return co_await test::readExactly(its_stream, 5);
  };
  EXPECT_EQ(loop.run(talk(*stream)), "hello");
}

TEST_F(HttpServerTest, givesUpOnAClientThatTakesNoAnswer) {
  bool written = true;
  start(
      [&](Exchange& e) -> awaitable<void> {
        co_await e.begin(200, {});
        while (written) written = co_await e.write(std::string(1 << 20, 'x'));
      },
      {.writePatience = milliseconds(20)});
  const StreamPtr stream = connect();
  loop.run(write(*stream, kGet));
  loop.runUntil([&] { return !written; });
}

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

TEST_F(HttpServerTest, letsItsOwnerFormatRefusals) {
  start(answerTarget, {.refusal = [](const RefusedRequest& refused) -> RefusalAnswer {
          const bool wants_page = refused.bytes.contains("text/html");
          return {{{"Content-Type", wants_page ? "text/html" : "application/problem+json"}},
                  std::to_string(refused.error.status) + std::string(refused.error.reason)};
        }});
  const std::string page = exchange("GET / HTTP/1.1\r\nAccept: text/html\r\n\r\n");
  EXPECT_TRUE(page.starts_with("HTTP/1.1 400 ")) << page;
  EXPECT_NE(page.find("Content-Type: text/html\r\n"), std::string::npos);
  EXPECT_TRUE(page.ends_with("400Host is missing"));
  EXPECT_NE(exchange("GET /" + std::string(70'000, 'x')).find("problem+json"), std::string::npos);
}

TEST_F(HttpServerTest, marksOddPathsForAHandlerThatAcceptsThem) {
  auto report = [](Exchange& e) -> awaitable<void> { co_await e.respond(200, {}, e.head().oddPath ? "odd" : "plain"); };
  start(report, {.oddPaths = OddPaths::Mark});
  EXPECT_TRUE(exchange("GET /100%.txt HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("odd"));
  EXPECT_TRUE(exchange("GET //a HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("odd"));
  EXPECT_TRUE(exchange("GET /100%25.txt HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("plain"));
  EXPECT_TRUE(exchange("GET /%zz/../x HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, stopEndsIdleConnectionsAndWaitingHandlers) {
  bool entered = false;
  bool left = false;
  start([&](Exchange&) -> awaitable<void> {
    struct Leave {
      bool& flag;
      ~Leave() { flag = true; }
    } leave{left};
    entered = true;
    co_await async::sleepUntil(Deadline::never());
  });
  const StreamPtr idle = connect();
  const StreamPtr busy = connect();
  loop.run(write(*busy, kGet));
  loop.runUntil([&] { return entered; });
  server->stop();
  loop.runUntil([&] { return ended; });
  EXPECT_TRUE(left);
  EXPECT_EQ(loop.run(test::readToEnd(*idle)), "");
  EXPECT_EQ(loop.run(test::readToEnd(*busy)), "");
}

TEST_F(HttpServerTest, aHandlerMayStopItsOwnServer) {
  start([this](Exchange& e) -> awaitable<void> {
    co_await e.respond(200, {}, "bye");
    server->stop();
  });
  EXPECT_NE(exchange(kGet).find("bye"), std::string::npos);
  loop.runUntil([&] { return ended; });
}

}  // namespace
}  // namespace swarm::net
