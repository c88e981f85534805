// How long HttpServer waits for its clients, and how it stops.
#include "async/deadline.h"
#include "unit/net/http/fixture.h"

namespace swarm::net {
namespace {

TEST_F(HttpServerTest, givesASlowHeadUpAfterItsTimeout) {
  start(responseTarget, {.headTimeout = milliseconds(20)});
  const StreamPtr stream = connect();
  loop.run(write(*stream, "GET / HT"));
  EXPECT_TRUE(loop.run(test::readToEnd(*stream)).starts_with("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, closesAnIdleConnectionWithoutAWord) {
  start(responseTarget, {.keepAliveTimeout = milliseconds(20)});
  const StreamPtr stream = connect();
  loop.run(write(*stream, kGet));
  const std::string text = loop.run(test::readToEnd(*stream));
  EXPECT_EQ(count(text, "HTTP/1.1 "), 1);
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
