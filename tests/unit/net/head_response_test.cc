// The gate's corpus of responses, and the framing of each.
#include <gtest/gtest.h>

#include "net/http/http.h"

namespace swarm::net {
namespace {

struct ResponseCase {
  const char* name;
  const char* method;
  std::string bytes;
  bool accepted;
  BodyKind body = BodyKind::None;
  bool keepAlive = true;
};

void PrintTo(const ResponseCase& testCase, std::ostream* out) { *out << testCase.name; }

std::string response(std::string_view line, std::string_view fields = "") {
  return std::string(line) + "\r\n" + std::string(fields) + "\r\n";
}

const ResponseCase kResponseCases[] = {
    {"length", "GET", response("HTTP/1.1 200 OK", "Content-Length: 5\r\n"), true, BodyKind::Length},
    {"lengthZero", "GET", response("HTTP/1.1 200 OK", "Content-Length: 0\r\n"), true, BodyKind::None},
    {"chunked", "GET", response("HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n"), true, BodyKind::Chunked},
    {"untilClose", "GET", response("HTTP/1.1 200 OK"), true, BodyKind::UntilClose, false},
    {"http10", "GET", response("HTTP/1.0 200 OK", "Content-Length: 5\r\n"), true, BodyKind::Length, false},
    {"emptyReason", "GET", response("HTTP/1.1 200 ", "Content-Length: 5\r\n"), true, BodyKind::Length},
    {"noReason", "GET", response("HTTP/1.1 200", "Content-Length: 5\r\n"), true, BodyKind::Length},
    {"close", "GET", response("HTTP/1.1 200 OK", "Content-Length: 5\r\nConnection: close\r\n"), true, BodyKind::Length, false},
    {"head", "HEAD", response("HTTP/1.1 200 OK", "Content-Length: 5\r\n"), true, BodyKind::None},
    {"headChunked", "HEAD", response("HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n"), true, BodyKind::None},
    {"noContent", "DELETE", response("HTTP/1.1 204 No Content"), true, BodyKind::None},
    {"noContentWithLength", "DELETE", response("HTTP/1.1 204 No Content", "Content-Length: 5\r\n"), true, BodyKind::None, false},
    {"noContentChunked", "DELETE", response("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked\r\n"), false},
    {"notModified", "GET", response("HTTP/1.1 304 Not Modified", "Content-Length: 5\r\n"), true, BodyKind::None},
    {"switching", "GET", response("HTTP/1.1 101 Switching Protocols", "Upgrade: x\r\nConnection: Upgrade\r\n"), true, BodyKind::None},
    {"continue", "POST", response("HTTP/1.1 100 Continue"), true, BodyKind::None},
    {"lengthAndChunked", "GET", response("HTTP/1.1 200 OK", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), false},
    {"twoLengths", "GET", response("HTTP/1.1 200 OK", "Content-Length: 5\r\nContent-Length: 6\r\n"), false},
    {"gzip", "GET", response("HTTP/1.1 200 OK", "Transfer-Encoding: gzip\r\n"), false},
    {"chunkedOn10", "GET", response("HTTP/1.0 200 OK", "Transfer-Encoding: chunked\r\n"), false},
    {"folded", "GET", response("HTTP/1.1 200 OK", "X: a\r\n b\r\nContent-Length: 1\r\n"), false},
    {"http2", "GET", response("HTTP/2.0 200 OK"), false},
    {"noVersion", "GET", response("200 OK"), false},
    {"shortStatus", "GET", response("HTTP/1.1 20 OK"), false},
    {"longStatus", "GET", response("HTTP/1.1 2000 OK"), false},
    {"letterStatus", "GET", response("HTTP/1.1 2x0 OK"), false},
    {"lowStatus", "GET", response("HTTP/1.1 099 OK"), false},
    {"bareLf", "GET", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", false},
    {"controlInReason", "GET", response("HTTP/1.1 200 O\x01K"), false},
};

class ResponseCorpus : public testing::TestWithParam<ResponseCase> {};

TEST_P(ResponseCorpus, isJudgedAsExpected) {
  const ResponseCase& expected = GetParam();
  ResponseHead head;
  const auto result = parseResponseHead(expected.bytes, expected.method, head);
  ASSERT_EQ(result.has_value(), expected.accepted) << (result ? "" : result.error().reason);
  if (!expected.accepted) return;
  EXPECT_EQ(head.body.kind, expected.body);
  EXPECT_EQ(head.keepAlive, expected.keepAlive);
}

INSTANTIATE_TEST_SUITE_P(Head, ResponseCorpus, testing::ValuesIn(kResponseCases),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(ResponseHeadParser, givesStatusAndReason) {
  const std::string bytes = response("HTTP/1.1 404 Not  Found");
  ResponseHead head;
  ASSERT_TRUE(parseResponseHead(bytes, "GET", head));
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "Not  Found");
}

}  // namespace
}  // namespace swarm::net
