// WebSockets: the two sides against each other, and each against raw frames.
#include "net/websocket/websocket.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "net/websocket/websocket_connection.h"
#include "net/websocket/websocket_frame.h"
#include "support/coroutine_test.h"
#include "support/net/raw_server.h"
#include "unit/net/soon.h"

namespace swarm::net {
namespace {

using std::chrono::milliseconds;
using test::TestLoop;

awaitable<void> echoMessages(Exchange& exchange) {
  const std::unique_ptr<WebSocket> socket = co_await acceptWebSocket(exchange);
  while (const auto message = co_await socket->read())
    co_await (message->text ? socket->writeText(message->data) : socket->write(message->data));
}

struct Served {
  explicit Served(HttpHandler handler) : server(listenTcp(loop.executor(), {"127.0.0.1", 0}), std::move(handler)) {
    loop.spawn(server.run());
  }
  std::unique_ptr<WebSocket> open() {
    return loop.run(openWebSocket(loop.run(connectTcp({"127.0.0.1", server.port()}, soon())), "a", "/ws", {}, soon()));
  }
  TestLoop loop;
  HttpServer server;
};

awaitable<std::string> roundTrip(WebSocket& socket, std::string text) {
  EXPECT_TRUE(co_await socket.writeText(text));
  const auto message = co_await socket.read();
  EXPECT_TRUE(message && message->text);
  co_return message ? message->data : "";
}

TEST(WebSocket, echoesMessagesOfEveryLengthForm) {
  Served served(echoMessages);
  const auto socket = served.open();
  for (const std::size_t size : {0, 1, 125, 126, 65535, 65536, 1 << 20}) {
    const std::string text(size, 'x');
    EXPECT_EQ(served.loop.run(roundTrip(*socket, text)), text);
  }
}

TEST(WebSocket, closesInOrder) {
  bool ended = false;
  Served served([&](Exchange& e) -> awaitable<void> {
    const auto socket = co_await acceptWebSocket(e);
    EXPECT_FALSE((co_await socket->read()).has_value());
    ended = true;
  });
  const auto socket = served.open();
  served.loop.run(socket->close(1000, "done"));
  served.loop.runUntil([&] { return ended; });
  auto write = [](WebSocket& s) -> awaitable<bool> { co_return co_await s.write("x"); };
  EXPECT_FALSE(served.loop.run(write(*socket)));
}

// close() reads until the peer's Close: a concurrent read() must not read from the same buffer.
TEST(WebSocket, aReadThatComesDuringTheCloseWaitsForItsEnd) {
  Served served([](Exchange& e) -> awaitable<void> {
    const auto socket = co_await acceptWebSocket(e);
    const std::string piece(32 * 1024, 'x');
    for (int pieces = 0; pieces < 100; ++pieces) co_await socket->write(piece);
    while (co_await socket->read()) {
    }
  });
  const auto socket = served.open();
  bool closed = false, read_first = false;
  served.loop.spawn([](WebSocket& s, bool& done) -> awaitable<void> {
    co_await s.close(1000, "done");
    done = true;
  }(*socket, closed));
  auto read = [](WebSocket& s, bool& done, bool& first) -> awaitable<bool> {
    const bool message = (co_await s.read()).has_value();
    first = !done;
    co_return message;
  };
  EXPECT_FALSE(served.loop.run(read(*socket, closed, read_first)));
  EXPECT_FALSE(read_first) << "the close handshake was not complete";
  served.loop.runUntil([&] { return closed; });
}

TEST(WebSocket, givesTheRefusalsStatusAndDetail) {
  Served served([](Exchange& e) -> awaitable<void> {
    co_await e.respond(409, {{"Content-Type", "application/problem+json"}}, R"({"code":"conflict","detail":"The instance is stopped."})");
  });
  try {
    served.open();
    FAIL() << "the handshake succeeded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Conflict);
    EXPECT_EQ(error.message(), "The instance is stopped.");
    EXPECT_EQ(error.upstream().status, 409);
  }
}

TEST(WebSocket, refusesAPlainRequest) {
  Served served([](Exchange& e) -> awaitable<void> {
    bool refused = false;
    try {
      co_await acceptWebSocket(e);
    } catch (const Error& error) {
      refused = error.code() == ErrorCode::InvalidArgument;
    }
    co_await e.respond(refused ? 400 : 500, {}, "");
  });
  auto talk = [](std::uint16_t port) -> awaitable<std::string> {
    const StreamPtr stream = co_await connectTcp({"127.0.0.1", port}, soon());
    co_await stream->writeAll(std::string_view("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    co_return co_await test::readUntil(*stream, "\r\n\r\n");
  };
  EXPECT_TRUE(served.loop.run(talk(served.server.port())).starts_with("HTTP/1.1 400"));
}

/// One side under test against a raw peer.
struct Raw {
  explicit Raw(WebSocketRole role, WebSocketTimes times = {}) {
    StreamPtr ours;
    std::tie(ours, peer) = makePipe(loop.executor(), 1 << 20);
    socket = makeWebSocket(std::move(ours), role, times);
  }
  void send(const std::string& bytes) {
    auto write = [](Stream& stream, std::string text) -> awaitable<void> { co_await stream.writeAll(text); };
    loop.run(write(*peer, bytes));
  }
  std::optional<WebSocketMessage> read() { return loop.run(socket->read()); }
  std::string sent(std::size_t bytes) { return loop.run(test::readExactly(*peer, bytes)); }
  TestLoop loop;
  StreamPtr peer;
  std::unique_ptr<WebSocket> socket;
};

std::string frame(Opcode opcode, std::string payload, bool final = true, bool masked = false) {
  FrameHeader header{.opcode = opcode, .final = final, .masked = masked, .length = payload.size(), .mask = {1, 2, 3, 4}};
  if (masked) applyMask(payload.data(), payload.size(), header.mask);
  return formatFrameHeader(header) + payload;
}

TEST(WebSocket, joinsFragmentsAroundAPing) {
  Raw raw(WebSocketRole::Client);
  raw.send(frame(Opcode::Text, "hel", false) + frame(Opcode::Ping, "p") + frame(Opcode::Continuation, "", false) +
           frame(Opcode::Continuation, "lo"));
  const auto message = raw.read();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->data, "hello");
  EXPECT_TRUE(raw.sent(7).starts_with("\x8a\x81"));  // a masked Pong
}

TEST(WebSocket, masksOnTheClientSideOnly) {
  Raw server(WebSocketRole::Server);
  server.send(frame(Opcode::Binary, "abc", true, true));
  EXPECT_EQ(server.read()->data, "abc");
  auto write = [](WebSocket& s) -> awaitable<bool> { co_return co_await s.write("xyz"); };
  EXPECT_TRUE(server.loop.run(write(*server.socket)));
  EXPECT_EQ(server.sent(5), "\x82\x03xyz");
}

struct Violation {
  const char* name;
  std::string bytes;
  int code;
};
void PrintTo(const Violation& violation, std::ostream* out) { *out << violation.name; }
class Violations : public testing::TestWithParam<Violation> {};

TEST_P(Violations, endTheConnectionWithTheirCode) {
  Raw raw(WebSocketRole::Client);
  raw.send(GetParam().bytes);
  EXPECT_THROW(raw.read(), Error);
  const std::string close = raw.sent(8);
  ASSERT_EQ(close.size(), 8U);
  const int high = static_cast<unsigned char>(close[6]) ^ static_cast<unsigned char>(close[2]);
  const int low = static_cast<unsigned char>(close[7]) ^ static_cast<unsigned char>(close[3]);
  EXPECT_EQ(close[0], '\x88');
  EXPECT_EQ(high * 256 + low, GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(WebSocket, Violations,
                         testing::Values(Violation{"masked", frame(Opcode::Text, "x", true, true), 1002},
                                         Violation{"reservedBit", "\xc1\x01x", 1002}, Violation{"unknownOpcode", "\x83\x01x", 1002},
                                         Violation{"fragmentedPing", frame(Opcode::Ping, "x", false), 1002},
                                         Violation{"strayContinuation", frame(Opcode::Continuation, "x"), 1002},
                                         Violation{"nestedMessage", frame(Opcode::Text, "x", false) + frame(Opcode::Text, "y"), 1002},
                                         Violation{"longForm16", std::string("\x82\x7e\x00\x05hello", 9), 1002},
                                         Violation{"longForm64", std::string("\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x05hello", 15), 1002},
                                         Violation{"badUtf8", frame(Opcode::Text, "\xc0\xaf"), 1007},
                                         Violation{"surrogate", frame(Opcode::Text, "\xed\xa0\x80"), 1007},
                                         Violation{"tooLarge", std::string("\x82\x7f\x00\x00\x00\x00\x02\x00\x00\x00", 10), 1009},
                                         Violation{"shortClose", frame(Opcode::Close, "x"), 1002},
                                         Violation{"badCloseCode", frame(Opcode::Close, "\x03\xed"), 1002}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(WebSocket, reportsACutConnection) {
  Raw raw(WebSocketRole::Client);
  raw.send("\x82\x05he");
  raw.peer->close();
  EXPECT_THROW(raw.read(), Error);
}

TEST(WebSocket, pingsASilentPeerAndThenGivesUp) {
  Raw raw(WebSocketRole::Server, {.silence = milliseconds(10), .grace = milliseconds(10)});
  try {
    raw.read();
    FAIL() << "the read succeeded";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "The WebSocket's peer stopped responding.");
  }
  EXPECT_EQ(raw.sent(2), std::string("\x89\x00", 2));
}

}  // namespace
}  // namespace swarm::net
