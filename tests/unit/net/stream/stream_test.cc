// Streams of every kind: connecting, deadlines, closing, half-closing, pumping.
#include "net/stream/stream.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "async/deadline.h"
#include "base/error.h"
#include "net/connect.h"
#include "net/stream/fd_stream.h"
#include "net/stream/forwarding_stream.h"
#include "support/coroutine_test.h"
#include "support/net/raw_server.h"
#include "support/net/tcp_gate.h"
#include "support/net/unix_listener.h"
#include "support/temp_dir.h"
#include "unit/net/soon.h"

namespace swarm::net {
namespace {

using std::chrono::milliseconds;
using test::TestLoop;

enum class Kind { Tcp, Unix, Pipe };

awaitable<StreamPtr> acceptOne(Listener& listener) { co_return co_await listener.accept(); }

/// A connected pair of the kind under test.
struct Ends {
  explicit Ends(Kind kind) {
    if (kind == Kind::Pipe) {
      std::tie(near_end, far_end) = makePipe(loop.executor(), 4096);
      return;
    }
    const std::unique_ptr<Listener> listener =
        kind == Kind::Tcp ? listenTcp(loop.executor(), {"127.0.0.1", 0}) : listenUnix(loop.executor(), folder / "socket");
    near_end = loop.run(kind == Kind::Tcp ? connectTcp({"127.0.0.1", listener->port()}, soon()) : connectUnix(folder / "socket", soon()));
    far_end = loop.run(acceptOne(*listener));
  }
  test::TempDir folder;
  TestLoop loop;
  StreamPtr near_end;
  StreamPtr far_end;
};

class EveryStream : public testing::TestWithParam<Kind> {
 protected:
  Ends ends{GetParam()};
  TestLoop& loop = ends.loop;
};

awaitable<IoResult> readSome(Stream& stream) {
  char piece[64];
  co_return co_await stream.readSome(asio::buffer(piece));
}
awaitable<void> storeRead(Stream& stream, std::optional<IoResult>& result) { result = co_await readSome(stream); }
awaitable<void> send(Stream& stream, std::string text) {
  co_await stream.writeAll(text);
  co_await stream.shutdownWrite();
}

TEST_P(EveryStream, carriesMoreThanItsBuffersHoldWithGatheredWrites) {
  const std::string half(1 << 20, 'x');
  auto send_twice = [](Stream& stream, const std::string& text) -> awaitable<void> {
    const asio::const_buffer pieces[] = {asio::buffer(text), asio::buffer("-", 1), asio::buffer(text)};
    const IoResult written = co_await stream.writeAll(pieces);
    EXPECT_EQ(written.bytes, 2 * text.size() + 1);
    co_await stream.shutdownWrite();
  };
  loop.spawn(send_twice(*ends.near_end, half));
  EXPECT_EQ(loop.run(test::readToEnd(*ends.far_end)), half + "-" + half);
}

TEST_P(EveryStream, canStillReadAfterItsOwnEnd) {
  loop.run(send(*ends.near_end, "ask"));
  EXPECT_EQ(loop.run(test::readToEnd(*ends.far_end)), "ask");
  loop.run(send(*ends.far_end, "answer"));
  EXPECT_EQ(loop.run(test::readToEnd(*ends.near_end)), "answer");
}

TEST_P(EveryStream, aReadPastTheDeadlineTimesOutAndLaterOnesWorkAgain) {
  ends.near_end->setDeadline(std::chrono::steady_clock::now() + milliseconds(5));
  EXPECT_EQ(loop.run(readSome(*ends.near_end)).error, asio::error::timed_out);
  EXPECT_EQ(loop.run(readSome(*ends.near_end)).error, asio::error::timed_out);
  ends.near_end->setDeadline(SteadyTime::max());
  loop.run(send(*ends.far_end, "x"));
  EXPECT_EQ(loop.run(readSome(*ends.near_end)).bytes, 1U);
}

TEST_P(EveryStream, aDeadlineThatWasMovedDoesNotFireAtItsOldTime) {
  ends.near_end->setDeadline(std::chrono::steady_clock::now() + milliseconds(1));
  ends.near_end->setDeadline(std::chrono::steady_clock::now() + milliseconds(30));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(loop.run(readSome(*ends.near_end)).error, asio::error::timed_out);
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(20));
}

TEST_P(EveryStream, closeEndsAPendingRead) {
  std::optional<IoResult> result;
  loop.spawn(storeRead(*ends.near_end, result));
  auto close = [](Stream& stream) -> awaitable<void> {
    stream.close();
    co_return;
  };
  loop.run(close(*ends.near_end));
  loop.runUntil([&] { return result.has_value(); });
  EXPECT_EQ(result->error, asio::error::operation_aborted);
}

TEST_P(EveryStream, writingToAPeerThatHasClosedFails) {
  ends.far_end->close();
  auto write_twice = [](Stream& stream) -> awaitable<IoResult> {
    const std::string text(1 << 20, 'x');
    co_await stream.writeAll(text);
    co_return co_await stream.writeAll(text);
  };
  EXPECT_TRUE(loop.run(write_twice(*ends.near_end)).error);
}

TEST_P(EveryStream, isIdleUntilThePeerSendsOrCloses) {
  EXPECT_TRUE(ends.near_end->isIdle());
  loop.run(send(*ends.far_end, "x"));
  EXPECT_FALSE(ends.near_end->isIdle());
}

TEST_P(EveryStream, yieldsPrependedBytesFirst) {
  loop.run(send(*ends.far_end, "def"));
  const StreamPtr stream = prepend("abc", std::move(ends.near_end));
  EXPECT_FALSE(stream->isIdle());
  EXPECT_EQ(loop.run(test::readToEnd(*stream)), "abcdef");
}

TEST_P(EveryStream, pumpPassesOnTheResponseOfAServerThatClosedBeforeItReadTheRequest) {
  auto [client, left] = makePipe(loop.executor());
  loop.run(ends.near_end->writeAll("unread"));  // a close with unread input resets the connection
  loop.run(ends.far_end->writeAll("response"));
  ends.far_end->close();
  loop.run(client->writeAll("request"));
  loop.spawn(pump(*left, *ends.near_end));
  EXPECT_EQ(loop.run(test::readToEnd(*client)), "response");
}

TEST_P(EveryStream, pumpEndsForASilentClientWhenTheServerIsGone) {
  auto [client, left] = makePipe(loop.executor());
  loop.run(ends.near_end->writeAll("unread"));
  ends.far_end->close();
  loop.run(client->writeAll("request"));
  loop.run(pump(*left, *ends.near_end));
  EXPECT_FALSE(left->isIdle());
}

INSTANTIATE_TEST_SUITE_P(Stream, EveryStream, testing::Values(Kind::Tcp, Kind::Unix, Kind::Pipe), [](const auto& info) {
  return info.param == Kind::Tcp ? "Tcp" : info.param == Kind::Unix ? "Unix" : "Pipe";
});

TEST(Pump, copiesBothWaysAndHalfCloses) {
  TestLoop loop;
  auto [client, left] = makePipe(loop.executor(), 1000);
  auto [right, server] = makePipe(loop.executor(), 1000);
  std::size_t to_server = 0;
  loop.spawn(pump(*left, *right, [&](PumpDirection direction, std::size_t bytes) {
    if (direction == PumpDirection::LeftToRight) to_server += bytes;
  }));
  const std::string question(50'000, 'q');
  loop.spawn(send(*client, question));
  EXPECT_EQ(loop.run(test::readToEnd(*server)), question);
  EXPECT_EQ(to_server, question.size());
  loop.spawn(send(*server, "answer"));
  EXPECT_EQ(loop.run(test::readToEnd(*client)), "answer");
}

TEST(Pump, endsWhenOneSideBreaks) {
  TestLoop loop;
  auto [client, left] = makePipe(loop.executor());
  auto [right, server] = makePipe(loop.executor(), 10);
  server->close();
  loop.spawn(send(*client, "unread"));
  loop.run(pump(*left, *right));
  EXPECT_FALSE(left->isIdle());
}

/// Reads fail as those of a broken TLS connection do; the peer still holds back our writes.
class BrokenReads final : public ForwardingStream {
 public:
  using ForwardingStream::ForwardingStream;
  awaitable<IoResult> readSome(asio::mutable_buffer buffer) override {
    const IoResult got = co_await inner_->readSome(buffer);
    co_return got.error ? got : IoResult{asio::error::connection_aborted};
  }
};

TEST(Pump, endsWhenTheServerBreaksWhileItHoldsBackTheRequest) {
  TestLoop loop;
  auto [client, left] = makePipe(loop.executor());
  auto [inner, server] = makePipe(loop.executor(), 10);
  BrokenReads right(std::move(inner));
  loop.run(client->writeAll("more than the server takes"));
  loop.spawn(send(*server, "x"));
  loop.run(pump(*left, right));
  EXPECT_FALSE(left->isIdle());
}

TEST(Pump, endsWhenAServerThatWritesDoesNotRead) {
  TestLoop loop;
  auto [client, left] = makePipe(loop.executor(), 64);
  auto [right, server] = makePipe(loop.executor(), 64);
  loop.spawn(send(*client, std::string(1000, 'q')));
  loop.spawn(send(*server, std::string(1000, 'r')));
  right->setDeadline(std::chrono::steady_clock::now() + milliseconds(50));
  loop.run(pump(*left, *right));
  EXPECT_FALSE(left->isIdle());
}

TEST(FdStream, peeksAtBytesThatStayInTheSocket) {
  Ends ends(Kind::Tcp);
  const auto peek = [](Stream& stream, std::size_t seen) -> awaitable<IoResult> {
    char piece[64];
    co_return co_await stream.bareSocket()->peekMore(asio::buffer(piece), seen);
  };
  const auto store = [peek](Stream& stream, std::size_t seen, std::optional<IoResult>& result) -> awaitable<void> {
    result = co_await peek(stream, seen);
  };
  ends.loop.run(ends.far_end->writeAll("ab"));
  EXPECT_EQ(ends.loop.run(peek(*ends.near_end, 0)).bytes, 2U);
  std::optional<IoResult> more;
  ends.loop.spawn(store(*ends.near_end, 2, more));
  ends.loop.run(ends.far_end->writeAll("c"));
  ends.loop.runUntil([&] { return more.has_value(); });
  EXPECT_EQ(more->bytes, 3U);
  ends.loop.run(ends.far_end->shutdownWrite());
  EXPECT_EQ(ends.loop.run(peek(*ends.near_end, 3)).error, asio::error::eof);
  EXPECT_EQ(ends.loop.run(test::readToEnd(*ends.near_end)), "abc");
}

TEST(Connect, namesTheAddressThatRefuses) {
  TestLoop loop;
  std::uint16_t port = 0;
  {
    const auto listener = listenTcp(loop.executor(), {"127.0.0.1", 0});
    port = listener->port();
  }
  try {
    loop.run(connectTcp({"127.0.0.1", port}, soon()));
    FAIL() << "connected";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_NE(error.message().find("127.0.0.1:" + std::to_string(port) + ": Connection refused"), std::string::npos) << error.message();
  }
}

TEST(Connect, namesTheSocketFileThatIsNotThere) {
  try {
    test::run(connectUnix("/nonexistent/engine.sock", soon()));
    FAIL() << "connected";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_NE(error.message().find("/nonexistent/engine.sock: No such file"), std::string::npos) << error.message();
  }
}

// A flood of connections used to keep the loop from those that it had.
TEST(Listener, letsOtherWorkRunBetweenConnectionsThatWait) {
  TestLoop loop;
  const auto listener = listenTcp(loop.executor(), {"127.0.0.1", 0});
  std::vector<StreamPtr> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(loop.run(connectTcp({"127.0.0.1", listener->port()}, soon())));
  const auto accept_all = [](Listener& from, std::size_t& accepted, std::size_t& seen) -> awaitable<void> {
    asio::post(co_await asio::this_coro::executor, [&] { seen = accepted; });
    for (; accepted < 100; ++accepted) co_await from.accept();
  };
  std::size_t accepted = 0, seen = 0;
  loop.run(accept_all(*listener, accepted, seen));
  EXPECT_LT(seen, 100U);
}

TEST(Connect, takesNamesUnderLocalhostForLoopback) {
  TestLoop loop;
  const auto listener = listenTcp(loop.executor(), {"localhost", 0});
  const StreamPtr stream = loop.run(connectTcp({"my-app.localhost", listener->port()}, soon()));
  EXPECT_EQ(stream->peer(), "127.0.0.1:" + std::to_string(listener->port()));
  EXPECT_EQ(stream->peerAddress(), "127.0.0.1");
}

TEST(Connect, triesTheNextAddressWhenTheFirstRefuses) {
  TestLoop loop;
  std::unique_ptr<Listener> listener;
  try {
    listener = listenTcp(loop.executor(), {"::1", 0});
  } catch (const Error&) {
    GTEST_SKIP() << "this machine has no IPv6 loopback";
  }
  const StreamPtr stream = loop.run(connectTcp({"localhost", listener->port()}, soon()));
  EXPECT_EQ(stream->peerAddress(), "::1");
}

TEST(Listen, refusesATakenPortByName) {
  TestLoop loop;
  const auto listener = listenTcp(loop.executor(), {"127.0.0.1", 0});
  try {
    listenTcp(loop.executor(), {"127.0.0.1", listener->port()});
    FAIL() << "two listeners share one port";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find(std::to_string(listener->port())), std::string::npos);
  }
}

TEST(Listen, acceptEndsWhenClosed) {
  TestLoop loop;
  const auto listener = listenTcp(loop.executor(), {"127.0.0.1", 0});
  auto close = [](Listener& closing) -> awaitable<void> {
    closing.close();
    co_return;
  };
  auto accept_and_close = [&]() -> awaitable<void> {
    co_await async::both(close(*listener), [](Listener& l) -> awaitable<void> { co_await l.accept(); }(*listener));
  };
  EXPECT_THROW(loop.run(accept_and_close()), boost::system::system_error);
}

TEST(Listen, goesOnAfterDescriptorsRanOut) {
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "The sanitizers need a descriptor for their own checks; the ordinary build runs this.";
#endif
  TestLoop loop;
  const auto listener = listenTcp(loop.executor(), {"127.0.0.1", 0});
  const StreamPtr client = loop.run(connectTcp({"127.0.0.1", listener->port()}, soon()));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  StreamPtr accepted;
  auto accept = [&]() -> awaitable<void> { accepted = co_await listener->accept(); };
  loop.spawn(accept());
  // The listener has received EMFILE by the time that other work of the loop has run.
  loop.run(async::sleepFor(milliseconds(1)));
  EXPECT_EQ(accepted, nullptr);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  loop.runUntil([&] { return accepted != nullptr; });
}

TEST(ParseHostPort, readsAndRefuses) {
  EXPECT_EQ(parseHostPort("[::1]:80").host, "::1");
  EXPECT_EQ(toString(parseHostPort("[::1]:80")), "[::1]:80");
  EXPECT_EQ(parseHostPort("a.b:65535").port, 65535);
  for (const char* bad : {"", "a", "a:", ":80", "a:65536", "a:-1", "::1:80", "a b:80", "a:80x"})
    EXPECT_THROW(parseHostPort(bad), Error) << bad;
}

}  // namespace
}  // namespace swarm::net
