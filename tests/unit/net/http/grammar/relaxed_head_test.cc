// Deviations that browsers accept from a server, and those that remain refused.
#include "net/http/grammar/relaxed_head.h"

#include <gtest/gtest.h>

#include "net/http/http.h"
#include "support/coroutine_test.h"

namespace swarm::net {
namespace {

struct RelaxedCase {
  const char* name;
  std::string bytes;
  std::string mended;  // empty: there is more than one interpretation
  BodyKind body = BodyKind::None;
  bool keepAlive = true;
};

void PrintTo(const RelaxedCase& testCase, std::ostream* out) { *out << testCase.name; }

const RelaxedCase kRelaxedCases[] = {
    {"bareLineFeeds", "HTTP/1.1 200 OK\nContent-Length: 5\n\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", BodyKind::Length},
    {"mixedLineEnds", "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 5\r\n\n", "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\n",
     BodyKind::Length},
    {"folded", "HTTP/1.1 200 OK\r\nX: a\r\n\t b \r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a b\r\nContent-Length: 5\r\n\r\n",
     BodyKind::Length},
    {"foldedFraming", "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     BodyKind::Chunked},
    {"spaceBeforeColon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", BodyKind::Length},
    {"equalLengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", BodyKind::Length, false},
    {"equalLengthsInAList", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", BodyKind::Length, false},
    {"lengthBesideChunked", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n", BodyKind::Chunked, false},
    {"chunkedTwice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n", BodyKind::Chunked, false},
    {"chunkedTwiceInAList", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", BodyKind::Chunked},
    {"chunkedOn10", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n", BodyKind::Chunked, false},
    {"identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", BodyKind::Length, false},
    {"noContentChunked", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
     "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", BodyKind::None, false},
    {"notModifiedChunked", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n",
     "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", BodyKind::None, false},
    {"differentLengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", ""},
    {"gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", ""},
    {"noColon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", ""},
    {"empty", "\r\n", ""},
};

class MendedHead : public testing::TestWithParam<RelaxedCase> {};

TEST_P(MendedHead, isTheOnlyReading) {
  const RelaxedCase& expected = GetParam();
  ResponseHead head;
  const bool needs_no_mending = parseResponseHead(expected.bytes, "GET", head).has_value();
  EXPECT_FALSE(needs_no_mending);
  const std::optional<std::string> mended = mendResponseHead(expected.bytes);
  ASSERT_EQ(mended.value_or(""), expected.mended);
  if (!mended) return;
  const auto parsed = parseResponseHead(*mended, "GET", head);
  ASSERT_TRUE(parsed) << parsed.error().reason;
  EXPECT_EQ(head.body.kind, expected.body);
  EXPECT_EQ(head.keepAlive, expected.keepAlive);
}

INSTANTIATE_TEST_SUITE_P(Of, MendedHead, testing::ValuesIn(kRelaxedCases), [](const auto& info) { return std::string(info.param.name); });

TEST(MendedHeads, stayRefusedWhereAFieldIsInvalid) {
  for (const std::string bytes : {"HTTP/1.1 200 OK\nX y: z\n\n", "HTTP/1.1 200 OK\n: z\n\n", "HTTP/1.1 200 OK\nX: a\x01\n\n",
                                  "HTTP/1.1 200 OK\nX: a\rb\n\n", "HTTP/1.1 2x0 OK\n\n", "HTTP/1.1 200 OK\nContent-Length: x\n\n"}) {
    const std::optional<std::string> mended = mendResponseHead(bytes);
    ResponseHead head;
    EXPECT_FALSE(mended && parseResponseHead(*mended, "GET", head)) << bytes;
  }
}

std::string readHeadOf(std::string bytes, Grammar grammar) {
  test::TestLoop loop;
  auto [near_end, far_end] = makePipe(loop.executor());
  auto feed = [](Stream& stream, std::string text) -> awaitable<void> { co_await stream.writeAll(text); };
  loop.run(feed(*far_end, std::move(bytes)));  // and stays open: a read for more would block forever
  ReadBuffer buffer;
  auto read = [](Stream& stream, ReadBuffer& into, Grammar its_grammar) -> awaitable<std::string> {
    const auto size = co_await readHead(stream, into, its_grammar);
    co_return size ? std::string(into.data().substr(0, *size)) : size.error().message();
  };
  return loop.run(read(*near_end, buffer, grammar));
}

TEST(RelaxedHeads, endWithAnEmptyLineOfAnyKind) {
  for (const std::string end : {"\r\n\r\n", "\n\n", "\r\n\n", "\n\r\n"}) {
    const std::string head = "HTTP/1.1 200 OK\nX: y" + end;
    EXPECT_EQ(readHeadOf(head + "\nbody\n\n", Grammar::Relaxed), head);
  }
}

TEST(RelaxedHeads, areNotWaitedForFromAServerOfAnotherProtocol) {
  EXPECT_EQ(readHeadOf("SSH-2.0-OpenSSH_9.2\r\n", Grammar::Relaxed), "SSH-2.0-OpenSSH_9.2\r\n");
  EXPECT_EQ(readHeadOf("\x15\x03\x01", Grammar::Relaxed), "\x15\x03\x01");
}

TEST(ResponseHeadParser, readsHowLongAConnectionIsKept) {
  auto timeout = [](std::string_view value) {
    ResponseHead head;
    const std::string bytes = "HTTP/1.1 200 OK\r\nKeep-Alive: " + std::string(value) + "\r\n\r\n";
    EXPECT_TRUE(parseResponseHead(bytes, "GET", head));
    return head.keepAliveTimeout;
  };
  EXPECT_EQ(timeout("timeout=5"), std::chrono::seconds(5));
  EXPECT_EQ(timeout("max=100, timeout=15"), std::chrono::seconds(15));
  EXPECT_EQ(timeout("timeout=99999999999"), std::chrono::hours(24));
  EXPECT_EQ(timeout("timeout=-1"), std::nullopt);
  EXPECT_EQ(timeout("max=100"), std::nullopt);
}

TEST(RelaxedChunks, mayBePaddedAndHaveLongTrailers) {
  EXPECT_EQ(parseChunkSize("5  ", Grammar::Relaxed), 5U);
  EXPECT_EQ(parseChunkSize("5\t ;a=b", Grammar::Relaxed), 5U);
  EXPECT_EQ(parseChunkSize("00000000000000000005", Grammar::Relaxed), 5U);
  EXPECT_EQ(parseChunkSize("00;a-long-extension=value", Grammar::Relaxed), 0U);
  EXPECT_EQ(parseChunkSize("00000000000000000005;a-long-extension=value", Grammar::Relaxed), 5U);
  EXPECT_EQ(parseChunkSize("5  ", Grammar::Strict), std::nullopt);
  EXPECT_EQ(parseChunkSize("5 5", Grammar::Relaxed), std::nullopt);
  EXPECT_EQ(parseChunkSize(" 5", Grammar::Relaxed), std::nullopt);
  EXPECT_EQ(parseChunkSize("  ", Grammar::Relaxed), std::nullopt);
  EXPECT_EQ(parseChunkSize("fffffffffffffffff", Grammar::Relaxed), std::nullopt);
}

}  // namespace
}  // namespace swarm::net
