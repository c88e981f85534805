// Body framing over an in-memory stream: good and bad chunks, however the bytes are split.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/error.hpp>

#include "async/io_wait.h"
#include "base/error.h"
#include "net/http/http.h"
#include "support/coroutine_test.h"
#include "support/memory_use.h"

namespace swarm::net {
namespace {

struct Outcome {
  std::string body;
  error_code error;
  std::string rest;  // what follows the body
};

awaitable<void> feed(Stream& stream, std::string bytes, std::size_t slice) {
  for (std::size_t at = 0; at < bytes.size(); at += slice) co_await stream.writeAll(std::string_view(bytes).substr(at, slice));
  co_await stream.shutdownWrite();
}

awaitable<Outcome> readBody(Stream& stream, BodyFraming framing, std::size_t piece_bytes) {
  ReadBuffer buffer(64);
  BodyReader reader(stream, buffer, framing);
  Outcome outcome;
  std::string piece(piece_bytes, '\0');
  while (!reader.done()) {
    const IoResult got = co_await reader.readSome(asio::buffer(piece));
    outcome.body.append(piece, 0, got.bytes);
    if (got.error) {
      outcome.error = got.error;
      break;
    }
  }
  outcome.rest = buffer.data();
  co_return outcome;
}

// Writes `slice` bytes at a time into a pipe that holds no more, so that the reader sees every split.
Outcome decode(const std::string& bytes, BodyFraming framing, std::size_t slice = 1 << 20, std::size_t piece = 4096) {
  test::TestLoop loop;
  auto [near_end, far_end] = makePipe(loop.executor(), std::min<std::size_t>(slice, 64 * 1024));
  loop.spawn(feed(*far_end, bytes, slice));
  return loop.run(readBody(*near_end, framing, piece));
}

const BodyFraming kChunked{BodyKind::Chunked};

TEST(BodyReader, decodesChunksHoweverTheyAreCut) {
  const std::string bytes = "5\r\nhello\r\nA;name=value\r\n, big worl\r\n1\r\nd\r\n0\r\nTrailer: x\r\n\r\n";
  for (const std::size_t slice : {1, 2, 3, 7, 100}) {
    for (const std::size_t piece : {1, 3, 4096}) {
      const Outcome outcome = decode(bytes, kChunked, slice, piece);
      EXPECT_FALSE(outcome.error) << outcome.error.message();
      EXPECT_EQ(outcome.body, "hello, big world") << slice << " " << piece;
    }
  }
}

TEST(BodyReader, decodesLargeChunks) {
  const std::string data(100'000, 'x');
  const Outcome outcome = decode("186A0\r\n" + data + "\r\n0\r\n\r\n", kChunked);
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.body, data);
}

TEST(BodyReader, dropsLongTrailers) {
  const Outcome outcome = decode("1\r\na\r\n0\r\nX-Trailer: " + std::string(3000, 'x') + "\r\n\r\nGET /", kChunked);
  EXPECT_FALSE(outcome.error) << outcome.error.message();
  EXPECT_EQ(outcome.body, "a");
  EXPECT_EQ(outcome.rest, "GET /");
}

TEST(BodyReader, leavesTheNextMessageInTheBuffer) { EXPECT_EQ(decode("1\r\na\r\n0\r\n\r\nGET /", kChunked).rest, "GET /"); }

TEST(BodyReader, endsALengthBodyAtItsLength) {
  const Outcome outcome = decode("hello", {BodyKind::Length, 5});
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.body, "hello");
}

TEST(BodyReader, reportsACutLengthBody) { EXPECT_EQ(decode("hell", {BodyKind::Length, 5}).error, asio::error::eof); }

TEST(BodyReader, endsAnOpenBodyWithTheStream) {
  const Outcome outcome = decode("hello", {BodyKind::UntilClose});
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.body, "hello");
}

struct BadChunk {
  const char* name;
  std::string bytes;
};
void PrintTo(const BadChunk& bad, std::ostream* out) { *out << bad.name; }

class BadChunks : public testing::TestWithParam<BadChunk> {};

TEST_P(BadChunks, areRefused) {
  const Outcome outcome = decode(GetParam().bytes, kChunked);
  EXPECT_EQ(outcome.error, boost::system::errc::bad_message) << outcome.error.message() << " " << outcome.body;
}

INSTANTIATE_TEST_SUITE_P(BodyReader, BadChunks,
                         testing::Values(BadChunk{"emptySize", "\r\na\r\n0\r\n\r\n"}, BadChunk{"negative", "-1\r\na\r\n0\r\n\r\n"},
                                         BadChunk{"plus", "+1\r\na\r\n0\r\n\r\n"}, BadChunk{"hexPrefix", "0x1\r\na\r\n0\r\n\r\n"},
                                         BadChunk{"leadingSpace", " 1\r\na\r\n0\r\n\r\n"},
                                         BadChunk{"trailingSpace", "1 \r\na\r\n0\r\n\r\n"}, BadChunk{"letter", "g\r\na\r\n0\r\n\r\n"},
                                         BadChunk{"bareLf", "1\na\r\n0\r\n\r\n"}, BadChunk{"bareLfAfterData", "1\r\na\n0\r\n\r\n"},
                                         BadChunk{"bareCr", "1\ra\r\n0\r\n\r\n"}, BadChunk{"dataTooLong", "1\r\nab\r\n0\r\n\r\n"},
                                         BadChunk{"dataTooShort", "3\r\na\r\n0\r\n\r\n0\r\n\r\n"},
                                         BadChunk{"seventeenDigits", "00000000000000001\r\na\r\n0\r\n\r\n"},
                                         BadChunk{"overflow", "FFFFFFFFFFFFFFFF\r\na\r\n0\r\n\r\n"},
                                         BadChunk{"controlInExtension", "1;a=\x01\r\na\r\n0\r\n\r\n"},
                                         BadChunk{"lfInExtension", "1;a=\nb\r\na\r\n0\r\n\r\n"},
                                         BadChunk{"crInExtension", "1;a=\rb\r\na\r\n0\r\n\r\n"},
                                         BadChunk{"longExtension", "1;" + std::string(2000, 'x') + "\r\na\r\n0\r\n\r\n"},
                                         BadChunk{"endlessSizeLine", std::string(5000, '1')},
                                         BadChunk{"longTrailers", "0\r\n" +
                                                                      [] {
                                                                        std::string lines;
                                                                        for (int i = 0; i < 40; ++i)
                                                                          lines += "T: " + std::string(900, 'x') + "\r\n";
                                                                        return lines;
                                                                      }() +
                                                                      "\r\n"},
                                         BadChunk{"trailerWithBareLf", "0\r\nT: x\n\r\n"}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(BodyReader, boundsTheSumOfChunkExtensions) {
  std::string bytes;
  for (int i = 0; i < 40; ++i) bytes += "1;" + std::string(800, 'x') + "\r\na\r\n";
  EXPECT_EQ(decode(bytes + "0\r\n\r\n", kChunked).error, boost::system::errc::bad_message);
}

TEST(BodyReader, reportsACutChunkedBody) {
  const std::string whole = "5\r\nhello\r\n0\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(decode(whole.substr(0, size), kChunked).error, asio::error::eof) << size;
  }
}

TEST(ReadAll, refusesABodyAboveTheLimitBeforeReadingIt) {
  test::TestLoop loop;
  auto [near_end, far_end] = makePipe(loop.executor());
  ReadBuffer buffer;
  BodyReader reader(*near_end, buffer, {BodyKind::Length, 11});
  try {
    loop.run(readAll(reader, 10));
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::PayloadTooLarge);
  }
}

TEST(ReadAll, stopsAChunkedBodyAtTheLimit) {
  test::TestLoop loop;
  auto [near_end, far_end] = makePipe(loop.executor());
  loop.spawn(feed(*far_end, "6\r\nhello,\r\n6\r\n world\r\n0\r\n\r\n", 1000));
  ReadBuffer buffer;
  BodyReader reader(*near_end, buffer, kChunked);
  try {
    loop.run(readAll(reader, 10));
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::PayloadTooLarge);
  }
}

awaitable<void> yieldSome(int turns) {
  for (int turn = 0; turn < turns; ++turn) co_await async::yieldLoop();
}

TEST(BodyReader, yieldsWhileItReadsTinyChunksFromItsBuffer) {
  constexpr std::size_t kChunks = 2000;
  test::TestLoop loop;
  auto [near_end, far_end] = makePipe(loop.executor());
  ReadBuffer buffer;
  std::string bytes;
  for (std::size_t i = 0; i < kChunks; ++i) bytes += "1\r\nx\r\n";
  bytes += "0\r\n\r\n";
  std::ranges::copy(bytes, static_cast<char*>(buffer.prepare(bytes.size()).data()));
  buffer.commit(bytes.size());
  BodyReader reader(*near_end, buffer, kChunked);
  int turns = 0;  // of the loop's other work
  loop.spawn([](int& count, const BodyReader& read) -> awaitable<void> {
    for (; !read.done(); ++count) co_await async::yieldLoop();
  }(turns, reader));
  EXPECT_EQ(loop.run(readAll(reader, kChunks)).size(), kChunks);
  EXPECT_GT(turns, 10);
}

TEST(ReadAll, allocatesForWhatHasArrivedAndNotForWhatIsAnnounced) {
  test::TestLoop loop;
  auto [near_end, far_end] = makePipe(loop.executor());
  ReadBuffer buffer;
  BodyReader reader(*near_end, buffer, {BodyKind::Length, 64 * 1024});
  const std::size_t before = test::allocatedBytes();
  loop.spawn([](BodyReader& read) -> awaitable<void> { co_await readAll(read, 64 * 1024); }(reader));
  loop.run(yieldSome(5));
  EXPECT_LT(test::allocatedBytes() - before, 32 * 1024U);
}

awaitable<void> checkPinnedHead(Stream& stream) {
  ReadBuffer buffer(32);
  const auto size = co_await readHead(stream, buffer);
  EXPECT_TRUE(size.has_value());
  RequestHead head;
  EXPECT_TRUE(parseRequestHead(buffer.data().substr(0, *size), head));
  buffer.consume(*size);
  BodyReader reader(stream, buffer, head.body);
  const std::string body = co_await readAll(reader, 1 << 20);
  EXPECT_EQ(body.size(), 3000U);
  EXPECT_EQ(head.target, "/a-target-that-stays");
  EXPECT_EQ(head.headers.find("X-Kept"), "value");
  const auto next = co_await readHead(stream, buffer);
  EXPECT_TRUE(next.has_value() && *next > 0);
}

/// As large as a head may be; it ends with an empty line.
std::string largeHead(std::string_view target) {
  std::string head = "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\nCookie: ";
  return head + std::string(60'000 - head.size() - 4, 'x') + "\r\n\r\n";
}

TEST(ReadBuffer, keepsNoMemoryOfALargeHeadThatIsDone) {
  ReadBuffer buffer;
  buffer.prepare(60'000);
  buffer.commit(60'000);
  buffer.pin(60'000);
  buffer.consume(60'000);
  EXPECT_GE(buffer.prepare(1).size(), 1U) << "the head stays in place";
  buffer.unpin();
  EXPECT_LE(buffer.prepare(1).size(), 16 * 1024U);
}

awaitable<void> checkHeads(Stream& stream, int heads) {
  ReadBuffer buffer;
  for (int i = 0; i < heads; ++i) {
    const auto size = co_await readHead(stream, buffer);
    EXPECT_EQ(size.value_or(0), 60'000U) << i;
    RequestHead head;
    EXPECT_TRUE(parseRequestHead(buffer.data().substr(0, size.value_or(0)), head)) << i;
    EXPECT_EQ(head.target, "/" + std::to_string(i));
    buffer.consume(size.value_or(0));
  }
}

TEST(ReadBuffer, losesNothingOfHeadsThatFollowALargeOne) {
  for (const std::size_t piece : {50UL, 16'383UL, 16'384UL, 16'385UL, 59'999UL, 60'000UL, 60'001UL, 90'000UL}) {
    test::TestLoop loop;
    auto [near_end, far_end] = makePipe(loop.executor(), piece);
    std::string bytes;
    for (int i = 0; i < 5; ++i) bytes += largeHead("/" + std::to_string(i));
    loop.spawn(feed(*far_end, bytes, piece));
    loop.run(checkHeads(*near_end, 5));
  }
}

TEST(ReadBuffer, keepsTheHeadInPlaceWhileTheBodyIsRead) {
  test::TestLoop loop;
  auto [near_end, far_end] = makePipe(loop.executor(), 50);
  std::string bytes = "POST /a-target-that-stays HTTP/1.1\r\nHost: a\r\nX-Kept: value\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 1000; ++i) bytes += "3\r\nabc\r\n";
  loop.spawn(feed(*far_end, bytes + "0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 50));
  loop.run(checkPinnedHead(*near_end));
}

}  // namespace
}  // namespace swarm::net
