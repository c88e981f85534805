// HttpServer against raw clients: order, reuse, bodies left unread, upgrades, refusals.
#include "async/deadline.h"
#include "unit/net/http/fixture.h"

namespace swarm::net {
namespace {

awaitable<void> respondWithBody(Exchange& exchange) {
  std::string body = co_await readAll(exchange.body(), 1 << 20);
  co_await exchange.respond(200, {}, body);
}

TEST_F(HttpServerTest, answersPipelinedRequestsInOrder) {
  start(responseTarget);
  const std::string text =
      exchange("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(text, "HTTP/1.1 200 OK\r\n"), 3);
  EXPECT_LT(text.find("/1"), text.find("/2"));
  EXPECT_LT(text.find("/2"), text.find("/3"));
}

TEST_F(HttpServerTest, answersPipelinedRequestsWithLargeHeadsInOrder) {
  start(responseTarget);
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

TEST_F(HttpServerTest, readsARequestThatArrivesByteByByte) {
  start(respondWithBody);
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
  start(responseTarget);
  const std::string text = exchange("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(text, "HTTP/1.1 "), 1);
  EXPECT_NE(text.find("Connection: close\r\n"), std::string::npos);
}

TEST_F(HttpServerTest, keepsAnOldClientsConnectionOnlyOnRequest) {
  start(responseTarget);
  const std::string old = "GET /1 HTTP/1.0\r\nHost: a\r\n";
  EXPECT_EQ(count(exchange(old + "\r\n" + old + "\r\n"), "HTTP/1.1 "), 1);
  const std::string text = exchange(old + "Connection: keep-alive\r\n\r\n" + old + "\r\n");
  EXPECT_EQ(count(text, "HTTP/1.1 "), 2);
  EXPECT_NE(text.find("Connection: keep-alive"), std::string::npos);
}

TEST_F(HttpServerTest, drainsASmallBodyThatTheHandlerLeft) {
  start(responseTarget);
  EXPECT_EQ(count(exchange("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x') + kGet), "HTTP/1.1 200"),
            2);
}

TEST_F(HttpServerTest, closesRatherThanDrainALargeBody) {
  start(responseTarget);
  EXPECT_EQ(count(exchange("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + std::string(200000, 'x') + kGet), "HTTP/1.1 "),
            1);
}

TEST_F(HttpServerTest, sendsContinueWhenTheHandlerReadsTheBody) {
  start(respondWithBody);
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
  start(responseTarget);
  EXPECT_TRUE(exchange("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(exchange("GET / HTTP/1.1\nHost: a\n\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(exchange("\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(exchange("GET / HTTP/3.0\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 505 "));
  EXPECT_TRUE(exchange("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(70'000, 'x')).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(exchange("GET /" + std::string(70'000, 'x')).starts_with("HTTP/1.1 414 "));
  EXPECT_EQ(count(exchange("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n" + std::string(kGet)), "HTTP/1.1 "), 1);
}

TEST_F(HttpServerTest, badChunksEndTheConnection) {
  start(responseTarget);
  EXPECT_EQ(count(exchange("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + std::string(kGet)), "HTTP/1.1 "), 1);
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
    e.respondedRaw(Exchange::Reuse::KeepAlive);
  });
  EXPECT_EQ(count(exchange(std::string(kGet) + kGet), "HTTP/1.1 204"), 2);
}

TEST_F(HttpServerTest, letsItsOwnerFormatRefusals) {
  start(responseTarget, {.refusal = [](const RefusedRequest& refused) -> RefusalResponse {
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

}  // namespace
}  // namespace swarm::net
