// HttpClient against scripted servers: pools, stale connections, framings, truncated and slow responses, upgrades.
#include "net/http/http_client.h"

#include <gtest/gtest.h>

#include "async/deadline.h"
#include "base/error.h"
#include "support/coroutine_test.h"
#include "support/net/raw_server.h"
#include "support/net/tcp_gate.h"
#include "unit/net/soon.h"

namespace swarm::net {
namespace {

using std::chrono::milliseconds;
using test::RawServer;
using test::TestLoop;

/// Responds to each request of a connection with the next of `responses`, then closes.
RawServer::Script responding(std::vector<std::string> responses) {
  return [responses](StreamPtr stream, int) -> awaitable<void> {
    for (const std::string& response : responses) {
      const std::string request = co_await test::readUntil(*stream, "\r\n\r\n");
      if (request.empty()) co_return;
      co_await stream->writeAll(response);
    }
  };
}

struct Client {
  explicit Client(RawServer::Script script, HttpClientOptions options = {.host = "docker"})
      : server(loop, std::move(script)), client(server.connector(), std::move(options)) {}
  HttpResponse send(HttpRequest request = {}) { return loop.run(client.send(std::move(request), soon())); }
  Error failure(HttpRequest request = {}, Deadline deadline = soon()) {
    try {
      loop.run(client.send(std::move(request), deadline));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "the request succeeded";
    return Error(ErrorCode::Internal, "");
  }
  TestLoop loop;
  RawServer server;
  HttpClient client;
};

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(HttpClient, readsEveryFraming) {
  EXPECT_EQ(Client(responding({kOk})).send().body, "ok");
  EXPECT_EQ(Client(responding({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"})).send().body, "ok");
  EXPECT_EQ(Client(responding({"HTTP/1.1 200 OK\r\n\r\nok"})).send().body, "ok");
  EXPECT_EQ(Client(responding({"HTTP/1.1 204 No Content\r\n\r\n"})).send().status, 204);
  EXPECT_EQ(Client(responding({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"})).send({.method = "HEAD"}).body, "");
}

TEST(HttpClient, skipsInterimAnswers) {
  EXPECT_EQ(Client(responding({std::string("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n") + kOk})).send().body,
            "ok");
}

TEST(HttpClient, sendsItsOwnAndTheRequestsHeaders) {
  std::string seen;
  Client client(
      [&seen](StreamPtr stream, int) -> awaitable<void> {
        seen = co_await test::readUntil(*stream, "body");
        co_await stream->writeAll(std::string_view(kOk));
      },
      {.host = "docker", .headers = {{"X-All", "1"}}});
  client.send({.method = "POST", .target = "/t", .headers = {{"X-One", "2"}}, .body = "body", .contentType = "text/plain"});
  EXPECT_EQ(seen, "POST /t HTTP/1.1\r\nHost: docker\r\nX-All: 1\r\nX-One: 2\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody");
}

TEST(HttpClient, refusesToSendWhatWouldBreakTheMessage) {
  Client client(responding({kOk}));
  EXPECT_EQ(client.failure({.target = "/a b"}).code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(client.failure({.headers = {{"X", "a\r\nY: b"}}}).code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(client.server.connections(), 0);
}

TEST(HttpClient, sendsABodyInPieces) {
  std::string seen;
  Client client([&seen](StreamPtr stream, int) -> awaitable<void> {
    seen = co_await test::readUntil(*stream, "\r\n0\r\n\r\n");
    co_await stream->writeAll(std::string_view(kOk));
  });
  auto pieces = std::make_shared<std::vector<std::string>>(std::vector<std::string>{"", "world", "hello, "});
  client.send({.method = "PUT", .bodySource = [pieces](Deadline) -> awaitable<std::string> {
                 std::string piece = pieces->back();
                 pieces->pop_back();
                 co_return piece;
               }});
  EXPECT_TRUE(seen.ends_with("\r\n\r\n7\r\nhello, \r\n5\r\nworld\r\n0\r\n\r\n")) << seen;
}

TEST(HttpClient, reusesAConnectionUntilTheServerClosesIt) {
  Client client(responding({kOk, kOk, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"}));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(client.send().body, "ok");
  EXPECT_EQ(client.server.connections(), 2);
}

TEST(HttpClient, noticesAnIdleConnectionThatWasClosedBeforeItWrites) {
  Client client(responding({kOk}));  // closes after each response
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.send({.method = "POST", .body = "x"}).body, "ok");
}

// Accepts a second request on a kept connection, and closes without a response, like a server whose idle timeout expires.
RawServer::Script closingOnReuse() {
  return [](StreamPtr stream, int index) -> awaitable<void> {
    co_await test::readUntil(*stream, "\r\n\r\n");
    co_await stream->writeAll(std::string_view(kOk));
    if (index == 0) co_await test::readUntil(*stream, "\r\n\r\n");
    if (index > 0) co_await test::readToEnd(*stream);
  };
}

TEST(HttpClient, repeatsAnIdempotentRequestOnceWhenAStaleConnectionFails) {
  Client client(closingOnReuse());
  EXPECT_EQ(client.send().body, "ok");
  EXPECT_EQ(client.send({.method = "DELETE"}).body, "ok");
  EXPECT_EQ(client.server.connections(), 2);
}

TEST(HttpClient, neverRepeatsAPostThatMayHaveBeenProcessed) {
  Client client(closingOnReuse());
  EXPECT_EQ(client.send().body, "ok");
  const Error error = client.failure({.method = "POST", .body = ""});
  EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  EXPECT_NE(error.message().find("docker"), std::string::npos);
  EXPECT_EQ(client.server.connections(), 1);
}

TEST(HttpClient, doesNotRepeatOnAFreshConnection) {
  Client client([](StreamPtr stream, int) -> awaitable<void> { co_await test::readUntil(*stream, "\r\n\r\n"); });
  EXPECT_EQ(client.failure().code(), ErrorCode::Unavailable);
  EXPECT_EQ(client.server.connections(), 1);
}

TEST(HttpClient, reportsACutBodyByName) {
  const Error error = Client(responding({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"})).failure();
  EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  EXPECT_EQ(error.message(), "The connection to docker was lost in the middle of a response: closed by the peer.");
}

TEST(HttpClient, reportsASilentServerAfterTheDeadline) {
  Client client([](StreamPtr stream, int) -> awaitable<void> { co_await test::readToEnd(*stream); });
  EXPECT_EQ(client.failure({}, Deadline::after(milliseconds(10))).code(), ErrorCode::DeadlineExceeded);
}

TEST(HttpClient, refusesNonsenseAndTooMuch) {
  EXPECT_EQ(Client(responding({"SSH-2.0-OpenSSH_9.2\r\n\r\n"})).failure().code(), ErrorCode::UpstreamFailed);
  EXPECT_EQ(Client(responding({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"})).failure().code(),
            ErrorCode::UpstreamFailed);
  EXPECT_EQ(Client(responding({kOk}), {.host = "docker", .maxBody = 1}).failure().code(), ErrorCode::UpstreamFailed);
  EXPECT_EQ(Client(responding({"HTTP/1.1 200 OK\r\n\r\nok"}), {.host = "docker", .maxBody = 1}).failure().code(),
            ErrorCode::UpstreamFailed);
}

TEST(HttpClient, givesTheEarlyAnswerOfAServerThatRefusesTheBody) {
  Client client([](StreamPtr stream, int) -> awaitable<void> {
    co_await test::readUntil(*stream, "\r\n\r\n");
    co_await stream->writeAll(std::string_view("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    co_await stream->shutdownWrite();
    co_await test::readToEnd(*stream);
  });
  EXPECT_EQ(client.send({.method = "POST", .body = std::string(4 << 20, 'x')}).status, 413);
}

awaitable<std::string> readPieces(HttpExchange& exchange) {
  std::string text;
  while (true) {
    const std::string piece = co_await exchange.read(Deadline::after(std::chrono::seconds(10)));
    if (piece.empty()) break;
    text += piece;
  }
  co_return text;
}

TEST(HttpClient, streamsALargeAnswerAndKeepsTheConnection) {
  const std::string large(3 << 20, 'x');
  Client client(responding({"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large, kOk}));
  const auto exchange = client.loop.run(client.client.open({}, soon()));
  EXPECT_EQ(client.loop.run(readPieces(*exchange)), large);
  EXPECT_EQ(client.send().body, "ok");
  EXPECT_EQ(client.server.connections(), 1);
}

TEST(HttpClient, endsAtTheDeadlineThoughDataIsThere) {
  Client client(responding({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"}));
  const auto exchange = client.loop.run(client.client.open({}, soon()));
  EXPECT_EQ(client.loop.run(exchange->read(soon())), "a");
  try {
    client.loop.run(exchange->read(Deadline::after(milliseconds(0))));
    ADD_FAILURE() << "the read succeeded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::DeadlineExceeded);
  }
}

TEST(HttpClient, doesNotReuseTheConnectionOfAnExchangeThatWasDropped) {
  Client client(responding({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"}));
  client.loop.run(client.client.open({}, soon())).reset();
  client.loop.run(client.client.open({}, soon())).reset();
  EXPECT_EQ(client.server.connections(), 2);
}

TEST(HttpClient, handsAnUpgradedStreamOverWithItsFirstBytes) {
  Client client([](StreamPtr stream, int) -> awaitable<void> {
    co_await test::readUntil(*stream, "\r\n\r\n");
    co_await stream->writeAll(std::string_view("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly"));
    co_await stream->writeAll(co_await test::readExactly(*stream, 4));
  });
  const auto exchange = client.loop.run(client.client.open({.headers = {{"Connection", "Upgrade"}, {"Upgrade", "tcp"}}}, soon()));
  EXPECT_TRUE(exchange->upgraded());
  const StreamPtr stream = exchange->takeStream();
  auto talk = [](Stream& its_stream) -> awaitable<std::string> {
    co_await its_stream.writeAll(std::string_view("ping"));
    co_return co_await test::readToEnd(its_stream);
  };
  EXPECT_EQ(client.loop.run(talk(*stream)), "earlyping");
}

TEST(HttpClient, survivesAGateThatSlicesAndFailsOnOneThatCuts) {
  TestLoop loop;
  RawServer server(loop, responding({kOk}));
  test::TcpGate gate(loop, server.connector());
  HttpClient client(gate.connector(), {.host = "gated"});
  gate.setRules({.sliceBytes = 1}, {.sliceBytes = 3});
  EXPECT_EQ(loop.run(client.send({}, soon())).body, "ok");
  client.dropIdle();
  gate.setRules({}, {.cutAt = 20});
  EXPECT_THROW(loop.run(client.send({}, soon())), Error);
  gate.setRules({}, {.stallAt = 20});
  EXPECT_THROW(loop.run(client.send({}, Deadline::after(milliseconds(20)))), Error);
}

}  // namespace
}  // namespace swarm::net
