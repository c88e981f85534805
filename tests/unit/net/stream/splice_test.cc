// splice(): exact bytes, back pressure, every way to end early, and fallback to copying.
#include "net/stream/splice.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <cstring>
#include <thread>

#include "async/deadline.h"
#include "net/connect.h"
#include "net/http/http.h"
#include "net/stream/fd_stream.h"
#include "support/coroutine_test.h"
#include "support/net/raw_server.h"
#include "unit/net/soon.h"

namespace swarm::net {
namespace {

using std::chrono::milliseconds;
using test::TestLoop;

constexpr std::size_t kMiB = 1 << 20;

// Regions that a bug could confuse differ (the period is coprime to all block sizes), so that a lost, duplicated or moved piece is
// detected.
std::string pattern(std::size_t bytes, std::uint32_t seed = 1) {
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

enum class Transport { Tcp, Unix };

std::pair<StreamPtr, StreamPtr> connected(TestLoop& loop, Transport kind) {
  if (kind == Transport::Unix) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    return {std::make_unique<FdStream>(loop.executor(), ends[0]), std::make_unique<FdStream>(loop.executor(), ends[1])};
  }
  const auto listener = listenTcp(loop.executor(), {"127.0.0.1", 0});
  auto accept = [](Listener& from) -> awaitable<StreamPtr> { co_return co_await from.accept(); };
  StreamPtr near_end = loop.run(connectTcp({"127.0.0.1", listener->port()}, soon()));
  return {std::move(near_end), loop.run(accept(*listener))};
}

/// sender → from, to → receiver; the test moves bytes between `from` and `to`.
struct Way {
  explicit Way(TestLoop& its_loop, Transport kind = Transport::Tcp) : loop(its_loop) {
    std::tie(sender, from) = connected(loop, kind);
    std::tie(to, receiver) = connected(loop, kind);
  }
  void move(std::uint64_t count) {
    auto run = [](Way& way, std::uint64_t bytes) -> awaitable<void> { way.result = co_await splice(*way.from, *way.to, bytes); };
    loop.spawn(run(*this, count));
  }
  Spliced moved() {
    loop.runUntil([&] { return result.has_value(); });
    return *result;
  }
  /// Runs everything that can run without further input.
  void settle() {
    loop.context().restart();
    while (loop.context().poll() > 0) {
    }
  }
  TestLoop& loop;
  StreamPtr sender, from, to, receiver;
  std::optional<Spliced> result;
};

awaitable<void> sendBytes(Stream& stream, std::string text) { co_await stream.writeAll(text); }
awaitable<void> sendAndEnd(Stream& stream, std::string text) {
  co_await stream.writeAll(text);
  co_await stream.shutdownWrite();
}
awaitable<void> sendCounting(Stream& stream, const std::string& text, std::size_t& sent) {
  constexpr std::size_t kPiece = 64 * 1024;
  for (std::size_t at = 0; at < text.size(); at += kPiece) {
    const IoResult written = co_await stream.writeAll(std::string_view(text).substr(at, kPiece));
    sent += written.bytes;
    if (written.error) co_return;
  }
}

class EverySocket : public testing::TestWithParam<Transport> {
 protected:
  TestLoop loop;
};

TEST_P(EverySocket, movesExactlyTheRequestedBytesAndLeavesTheRest) {
  for (const std::size_t size : {std::size_t{kSpliceBytes}, std::size_t{kSpliceBytes + 1}, 512 * 1024 - std::size_t{1},
                                 512 * 1024 + std::size_t{1}, 3 * kMiB + 17}) {
    Way way(loop, GetParam());
    const std::string body = pattern(size);
    loop.spawn(sendBytes(*way.sender, body + "next"));
    way.move(size);
    EXPECT_EQ(loop.run(test::readExactly(*way.receiver, size)), body) << size;
    const Spliced moved = way.moved();
    EXPECT_FALSE(moved.failed());
    EXPECT_EQ(moved.read.bytes, size);
    EXPECT_EQ(moved.written.bytes, size);
    EXPECT_EQ(loop.run(test::readExactly(*way.from, 4)), "next");
    EXPECT_TRUE(way.receiver->isIdle());
  }
}

TEST_P(EverySocket, takesNoMoreThanAPipeHoldsFromASenderWhoseReaderIsSlow) {
  Way way(loop, GetParam());
  const std::string body = pattern(48 * kMiB);
  std::size_t sent = 0;
  loop.spawn(sendCounting(*way.sender, body, sent));
  way.settle();
  const std::size_t before = sent;  // the capacity of the first socket's buffers
  way.move(body.size());
  loop.runUntil([&] { return sent > before; });
  way.settle();
  EXPECT_LT(sent, before + 16 * kMiB);  // the second socket's buffers and the pipe
  EXPECT_FALSE(way.result);
  EXPECT_EQ(loop.run(test::readExactly(*way.receiver, body.size())), body);
  EXPECT_EQ(way.moved().written.bytes, body.size());
}

TEST_P(EverySocket, saysWhenTheSenderBreaksOff) {
  Way way(loop, GetParam());
  const std::string half = pattern(300'000);
  loop.spawn(sendAndEnd(*way.sender, half));
  way.move(kMiB);
  EXPECT_EQ(loop.run(test::readExactly(*way.receiver, half.size())), half);
  const Spliced moved = way.moved();
  EXPECT_EQ(moved.read.error, asio::error::eof);
  EXPECT_FALSE(moved.written.error);
  EXPECT_EQ(moved.read.bytes, half.size());
  EXPECT_EQ(moved.written.bytes, half.size());
}

TEST_P(EverySocket, whatATransferThatBrokeHadUnderWayNeverReachesAnother) {
  for (int round = 0; round < 3; ++round) {
    Way broken(loop, GetParam());
    std::size_t sent = 0;
    const std::string lost = pattern(48 * kMiB, 7);
    loop.spawn(sendCounting(*broken.sender, lost, sent));
    broken.move(lost.size());
    broken.settle();  // there is no reader: the pipe is full
    broken.receiver->close();
    EXPECT_TRUE(broken.moved().written.error);
    EXPECT_FALSE(broken.result->read.error);
    EXPECT_GT(broken.result->read.bytes, broken.result->written.bytes);
    broken.from->close();
    broken.settle();

    Way way(loop, GetParam());
    const std::string body = pattern(kMiB);
    loop.spawn(sendBytes(*way.sender, body));
    way.move(body.size());
    EXPECT_EQ(loop.run(test::readExactly(*way.receiver, body.size())), body);
  }
}

TEST_P(EverySocket, closeEndsATransferThatWaitsForEitherSide) {
  Way reading(loop, GetParam());
  reading.move(kMiB);
  reading.settle();
  EXPECT_FALSE(reading.result);
  reading.from->close();
  EXPECT_EQ(reading.moved().read.error, asio::error::operation_aborted);

  Way writing(loop, GetParam());
  std::size_t sent = 0;
  const std::string body = pattern(48 * kMiB);
  loop.spawn(sendCounting(*writing.sender, body, sent));
  writing.move(body.size());
  writing.settle();
  EXPECT_FALSE(writing.result);
  writing.to->close();
  EXPECT_EQ(writing.moved().written.error, asio::error::operation_aborted);
  writing.from->close();
  writing.settle();
}

TEST_P(EverySocket, deadlinesOfBothSidesHold) {
  Way reading(loop, GetParam());
  reading.from->setDeadline(std::chrono::steady_clock::now() + milliseconds(5));
  reading.move(kMiB);
  EXPECT_EQ(reading.moved().read.error, asio::error::timed_out);

  Way writing(loop, GetParam());
  std::size_t sent = 0;
  const std::string body = pattern(48 * kMiB);
  loop.spawn(sendCounting(*writing.sender, body, sent));
  writing.to->setDeadline(std::chrono::steady_clock::now() + milliseconds(5));
  writing.move(body.size());
  EXPECT_EQ(writing.moved().written.error, asio::error::timed_out);
  writing.from->close();
  writing.settle();
}

TEST_P(EverySocket, readingGoesOnBehindATransferThatTookOnlyAPart) {
  Way way(loop, GetParam());
  // A short read first: readSome() then assumes that the socket is empty.
  loop.run(sendBytes(*way.sender, "head"));
  EXPECT_EQ(loop.run(test::readUntil(*way.from, "head")), "head");
  const std::string body = pattern(kSpliceBytes);
  loop.run(sendAndEnd(*way.sender, body + "tail"));
  way.move(body.size());
  EXPECT_EQ(way.moved().read.bytes, body.size());
  EXPECT_EQ(loop.run(test::readToEnd(*way.from)), "tail");
}

INSTANTIATE_TEST_SUITE_P(Splice, EverySocket, testing::Values(Transport::Tcp, Transport::Unix),
                         [](const auto& info) { return info.param == Transport::Tcp ? "Tcp" : "Unix"; });

TEST(Splice, endsWhenItsCoroutineIsCancelled) {
  TestLoop loop;
  Way way(loop);
  auto run = [](Way& its_way) -> awaitable<void> { its_way.result = co_await splice(*its_way.from, *its_way.to, kMiB); };
  EXPECT_EQ(loop.run(async::race(async::sleepFor(milliseconds(1)), run(way))), 0);
  // The streams themselves are intact.
  loop.run(sendBytes(*way.sender, "x"));
  EXPECT_EQ(loop.run(test::readExactly(*way.from, 1)), "x");
}

TEST(Splice, aCancelledTransferLeavesNothingToAnother) {
  TestLoop loop;
  for (int round = 0; round < 3; ++round) {
    Way cancelled(loop);
    std::size_t sent = 0;
    const std::string lost = pattern(48 * kMiB, 7);
    loop.spawn(sendCounting(*cancelled.sender, lost, sent));
    auto run = [](Way& its_way) -> awaitable<void> { co_await splice(*its_way.from, *its_way.to, 48 * kMiB); };
    EXPECT_EQ(loop.run(async::race(async::sleepFor(milliseconds(20)), run(cancelled))), 0);  // there is no reader: the pipe is full
    cancelled.from->close();
    cancelled.settle();

    Way way(loop);
    const std::string body = pattern(kMiB);
    loop.spawn(sendBytes(*way.sender, body));
    way.move(body.size());
    EXPECT_EQ(loop.run(test::readExactly(*way.receiver, body.size())), body);
  }
}

TEST(Splice, aReaderThatHasGoneDoesNotEndTheProcess) {
  TestLoop loop;
  Way way(loop, Transport::Unix);
  way.receiver->close();
  loop.spawn(sendAndEnd(*way.sender, pattern(100'000)));
  way.move(100'000);
  EXPECT_EQ(way.moved().written.error, asio::error::broken_pipe);
}

TEST(Splice, leavesToCopyingWhatItCannotMove) {
  TestLoop loop;
  Way way(loop);
  auto [memory, other] = makePipe(loop.executor());
  const std::string body = pattern(kMiB);
  loop.spawn(sendBytes(*way.sender, body));
  auto moves_nothing = [&](Stream& from, Stream& to, std::uint64_t count) {
    const Spliced moved = loop.run(splice(from, to, count));
    return !moved.failed() && moved.read.bytes == 0 && moved.written.bytes == 0;
  };
  EXPECT_TRUE(moves_nothing(*way.from, *memory, body.size()));
  EXPECT_TRUE(moves_nothing(*memory, *way.to, body.size()));
  EXPECT_TRUE(moves_nothing(*way.from, *way.to, kSpliceBytes - 1));

  const StreamPtr ahead = prepend("ahead", std::move(way.from));
  EXPECT_TRUE(moves_nothing(*ahead, *way.to, body.size()));
  EXPECT_EQ(loop.run(test::readExactly(*ahead, 5)), "ahead");
  auto run = [](Stream& from, Stream& to, std::uint64_t count, std::optional<Spliced>& result) -> awaitable<void> {
    result = co_await splice(from, to, count);
  };
  loop.spawn(run(*ahead, *way.to, body.size(), way.result));
  EXPECT_EQ(loop.run(test::readExactly(*way.receiver, body.size())), body);
  EXPECT_EQ(way.moved().read.bytes, body.size());
}

TEST(Splice, leavesToCopyingWhatItHasNoDescriptorsFor) {
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "The sanitizers need a descriptor for their own checks; the ordinary build runs this.";
#endif
  // A separate thread has no spare pipes.
  std::thread([] {
    TestLoop loop;
    Way way(loop);
    const std::string body = pattern(kMiB);
    loop.spawn(sendBytes(*way.sender, body));
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = 3;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    way.move(body.size());
    const Spliced moved = way.moved();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_FALSE(moved.failed());
    EXPECT_EQ(moved.read.bytes, 0U);
    way.result.reset();
    way.move(body.size());
    EXPECT_EQ(loop.run(test::readExactly(*way.receiver, body.size())), body);
    EXPECT_EQ(way.moved().read.bytes, body.size());
  }).join();
}

awaitable<std::string> readBuffered(BodyReader& body, std::size_t bytes) {
  std::string text(bytes, '\0');
  const IoResult got = co_await body.readSome(asio::buffer(text));
  text.resize(got.bytes);
  co_return text;
}

TEST(BodyReader, splicesWhatIsNotInItsBufferAndEndsAtTheBodysEnd) {
  TestLoop loop;
  Way way(loop);
  const std::string text = pattern(kMiB);
  ReadBuffer buffer;
  const asio::mutable_buffer room = buffer.prepare(10);
  std::memcpy(room.data(), text.data(), 10);
  buffer.commit(10);
  BodyReader body(*way.from, buffer, {BodyKind::Length, text.size()});
  loop.spawn(sendBytes(*way.sender, text.substr(10) + "HTTP/1.1 200 OK"));
  EXPECT_FALSE(body.hasLargeRest());
  EXPECT_EQ(loop.run(body.spliceTo(*way.to)).read.bytes, 0U);
  EXPECT_EQ(loop.run(readBuffered(body, 100)), text.substr(0, 10));
  EXPECT_TRUE(body.hasLargeRest());
  auto move = [](BodyReader& from, Way& its_way) -> awaitable<void> { its_way.result = co_await from.spliceTo(*its_way.to); };
  loop.spawn(move(body, way));
  EXPECT_EQ(loop.run(test::readExactly(*way.receiver, text.size() - 10)), text.substr(10));
  EXPECT_EQ(way.moved().read.bytes, text.size() - 10);
  EXPECT_TRUE(body.done());
  EXPECT_EQ(loop.run(test::readExactly(*way.from, 15)), "HTTP/1.1 200 OK");
}

TEST(BodyReader, splicesNeitherChunksNorBodiesBeforeContinue) {
  TestLoop loop;
  Way way(loop);
  ReadBuffer buffer;
  EXPECT_FALSE(BodyReader(*way.from, buffer, {BodyKind::Chunked, 0}).hasLargeRest());
  EXPECT_FALSE(BodyReader(*way.from, buffer, {BodyKind::UntilClose, 0}).hasLargeRest());
  BodyReader waiting(*way.from, buffer, {BodyKind::Length, kMiB});
  EXPECT_TRUE(waiting.hasLargeRest());
  waiting.continueOnRead();
  EXPECT_FALSE(waiting.hasLargeRest());
}

}  // namespace
}  // namespace swarm::net
