// The gate's corpus of requests: what is accepted, as what; what is refused, with which status.
#include <gtest/gtest.h>

#include <string>

#include "net/http/http.h"

namespace swarm::net {
namespace {

struct Case {
  const char* name;
  std::string bytes;
  int status;  // 0: accepted
};

void PrintTo(const Case& testCase, std::ostream* out) { *out << testCase.name; }

std::string request(std::string_view line, std::string_view fields = "Host: a\r\n") {
  return std::string(line) + "\r\n" + std::string(fields) + "\r\n";
}
std::string withFields(std::string_view fields, std::string_view version = "HTTP/1.1") {
  return request("POST / " + std::string(version), "Host: a\r\n" + std::string(fields));
}
std::string withTarget(std::string_view target) { return request("GET " + std::string(target) + " HTTP/1.1"); }

using namespace std::string_literals;

const Case kCases[] = {
    // Request lines
    {"plain", request("GET / HTTP/1.1"), 0},
    {"http10", request("GET / HTTP/1.0"), 0},
    {"http2Preface", request("PRI * HTTP/2.0"), 505},
    {"http12", request("GET / HTTP/1.2"), 505},
    {"http09", request("GET /"), 400},
    {"lowerCaseVersion", request("GET / http/1.1"), 400},
    {"versionWithExtraDigit", request("GET / HTTP/1.10"), 400},
    {"twoSpacesAfterMethod", request("GET  / HTTP/1.1"), 400},
    {"twoSpacesBeforeVersion", request("GET /  HTTP/1.1"), 400},
    {"spaceInTarget", request("GET /a b HTTP/1.1"), 400},
    {"tabAsSeparator", request("GET\t/\tHTTP/1.1"), 400},
    {"leadingSpace", request(" GET / HTTP/1.1"), 400},
    {"trailingSpace", request("GET / HTTP/1.1 "), 400},
    {"methodWithColon", request("GE:T / HTTP/1.1"), 400},
    {"customMethod", request("PROPFIND / HTTP/1.1"), 0},
    {"hugeMethod", request(std::string(40, 'A') + " / HTTP/1.1"), 400},
    {"emptyMethod", request(" / HTTP/1.1"), 400},
    {"connect", request("CONNECT a:443 HTTP/1.1"), 501},
    {"emptyLineFirst", "\r\n" + request("GET / HTTP/1.1"), 400},
    {"noFinalEmptyLine", "GET / HTTP/1.1\r\nHost: a\r\n", 400},
    {"bytesBehindTheHead", request("GET / HTTP/1.1") + "x", 400},
    // Line ends
    {"bareLfInRequestLine", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
    {"bareLfInFields", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
    {"bareLfAtEnd", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
    {"bareCrInValue", withFields("X: a\rb\r\n"), 400},
    {"bareCrBeforeCrlf", withFields("X: a\r\r\n"), 400},
    {"bareCrAsLine", withFields("\r\r\n"), 400},
    {"nulInValue", withFields("X: a\0b\r\n"s), 400},
    {"nulInName", withFields("X\0: a\r\n"s), 400},
    {"nulInTarget", request("GET /\0 HTTP/1.1"s), 400},
    {"verticalTabInValue", withFields("X: a\vb\r\n"), 400},
    {"deleteInValue", withFields("X: a\x7f\r\n"), 400},
    {"bytesAboveAsciiInValue", withFields("X: \xc3\xa9\r\n"), 0},
    // Fields
    {"spaceBeforeColon", withFields("X : a\r\n"), 400},
    {"tabBeforeColon", withFields("X\t: a\r\n"), 400},
    {"noColon", withFields("X\r\n"), 400},
    {"emptyName", withFields(": a\r\n"), 400},
    {"emptyValue", withFields("X:\r\n"), 0},
    {"whiteSpaceAroundValue", withFields("X: \t a \t\r\n"), 0},
    {"foldedWithSpace", withFields("X: a\r\n b\r\n"), 400},
    {"foldedWithTab", withFields("X: a\r\n\tb\r\n"), 400},
    {"foldedFirstField", request("GET / HTTP/1.1", " Host: a\r\n"), 400},
    {"foldOfOnlySpace", withFields("X: a\r\n \r\n"), 400},
    {"nameWithParenthesis", withFields("X(: a\r\n"), 400},
    {"nameWithHighByte", withFields("X\xe9: a\r\n"), 400},
    {"quotesInName", withFields("\"X\": a\r\n"), 400},
    // Host
    {"noHost", request("GET / HTTP/1.1", ""), 400},
    {"noHostOn10", request("GET / HTTP/1.0", ""), 400},
    {"twoHosts", request("GET / HTTP/1.1", "Host: a\r\nHost: b\r\n"), 400},
    {"twoEqualHosts", request("GET / HTTP/1.1", "Host: a\r\nhost: a\r\n"), 400},
    {"emptyHost", request("GET / HTTP/1.1", "Host:\r\n"), 400},
    {"hostWithPort", request("GET / HTTP/1.1", "Host: a.localhost:7420\r\n"), 0},
    {"hostWithEmptyPort", request("GET / HTTP/1.1", "Host: a:\r\n"), 400},
    {"hostWithBigPort", request("GET / HTTP/1.1", "Host: a:65536\r\n"), 400},
    {"hostWithLetterPort", request("GET / HTTP/1.1", "Host: a:80x\r\n"), 400},
    {"hostWithUserinfo", request("GET / HTTP/1.1", "Host: u@a\r\n"), 400},
    {"hostWithPath", request("GET / HTTP/1.1", "Host: a/b\r\n"), 400},
    {"hostList", request("GET / HTTP/1.1", "Host: a, b\r\n"), 400},
    {"hostWithSpace", request("GET / HTTP/1.1", "Host: a b\r\n"), 400},
    {"hostWithPercent", request("GET / HTTP/1.1", "Host: a%2e\r\n"), 400},
    {"hostV6", request("GET / HTTP/1.1", "Host: [::1]:80\r\n"), 0},
    {"hostV6Unclosed", request("GET / HTTP/1.1", "Host: [::1\r\n"), 400},
    {"hostV6Zone", request("GET / HTTP/1.1", "Host: [fe80::1%25eth0]\r\n"), 400},
    {"onlyPort", request("GET / HTTP/1.1", "Host: :80\r\n"), 400},
    // Framing
    {"length", withFields("Content-Length: 5\r\n"), 0},
    {"lengthZeroPadded", withFields("Content-Length: 005\r\n"), 0},
    {"lengthTwiceDifferent", withFields("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
    {"lengthTwiceEqual", withFields("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
    {"lengthList", withFields("Content-Length: 5, 5\r\n"), 400},
    {"lengthNegative", withFields("Content-Length: -1\r\n"), 400},
    {"lengthPlus", withFields("Content-Length: +5\r\n"), 400},
    {"lengthHex", withFields("Content-Length: 0x5\r\n"), 400},
    {"lengthEmpty", withFields("Content-Length:\r\n"), 400},
    {"lengthOverflow", withFields("Content-Length: 18446744073709551621\r\n"), 400},
    {"lengthFraction", withFields("Content-Length: 5.0\r\n"), 400},
    {"lengthInnerSpace", withFields("Content-Length: 5 5\r\n"), 400},
    {"chunked", withFields("Transfer-Encoding: chunked\r\n"), 0},
    {"chunkedUpperCase", withFields("TRANSFER-ENCODING: CHUNKED\r\n"), 0},
    {"chunkedAndLength", withFields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
    {"lengthAndChunked", withFields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"chunkedOn10", withFields("Transfer-Encoding: chunked\r\n", "HTTP/1.0"), 400},
    {"chunkedTwice", withFields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"chunkedThenIdentity", withFields("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 400},
    {"chunkedList", withFields("Transfer-Encoding: chunked, chunked\r\n"), 501},
    {"gzip", withFields("Transfer-Encoding: gzip\r\n"), 501},
    {"gzipChunked", withFields("Transfer-Encoding: gzip, chunked\r\n"), 501},
    {"chunkedGzip", withFields("Transfer-Encoding: chunked, gzip\r\n"), 501},
    {"identity", withFields("Transfer-Encoding: identity\r\n"), 501},
    {"xchunked", withFields("Transfer-Encoding: xchunked\r\n"), 501},
    {"chunkedQuoted", withFields("Transfer-Encoding: \"chunked\"\r\n"), 400},
    {"chunkedParameter", withFields("Transfer-Encoding: chunked;a=b\r\n"), 400},
    {"chunkedVerticalTab", withFields("Transfer-Encoding: \vchunked\r\n"), 400},
    {"chunkedTrailingComma", withFields("Transfer-Encoding: chunked,\r\n"), 501},
    {"emptyTransferEncoding", withFields("Transfer-Encoding:\r\n"), 400},
    {"spaceBeforeTransferEncodingColon", withFields("Transfer-Encoding : chunked\r\n"), 400},
    {"foldedTransferEncoding", withFields("Transfer-Encoding:\r\n chunked\r\n"), 400},
    // Targets
    {"query", withTarget("/a?b=c&d=%zz"), 0},
    {"queryWithBackslash", withTarget("/a?b=c:\\d"), 0},
    {"doubleSlash", withTarget("//host/path"), 400},
    {"slashBackslash", withTarget("/\\host"), 400},
    {"backslash", withTarget("/a\\b"), 400},
    {"backslashDots", withTarget("/a\\..\\b"), 400},
    {"innerDoubleSlash", withTarget("/a//b"), 0},
    {"parent", withTarget("/a/../b"), 400},
    {"parentAtEnd", withTarget("/a/.."), 400},
    {"parentAtStart", withTarget("/.."), 400},
    {"parentBeforeQuery", withTarget("/a/..?b"), 400},
    {"parentInQuery", withTarget("/a?b=/../"), 0},
    {"threeDots", withTarget("/.../b"), 0},
    {"dotsInName", withTarget("/a..b/..c/d.."), 0},
    {"current", withTarget("/./a"), 0},
    {"encodedParent", withTarget("/%2e%2e/a"), 400},
    {"encodedParentUpper", withTarget("/%2E%2E/a"), 400},
    {"halfEncodedParent", withTarget("/.%2e/a"), 400},
    {"otherHalfEncodedParent", withTarget("/%2e./a"), 400},
    {"encodedSlashParent", withTarget("/a%2f..%2fb"), 400},
    {"encodedBackslashParent", withTarget("/a%5c..%5cb"), 400},
    {"encodedSlash", withTarget("/a%2fb"), 0},
    {"parentWithParameter", withTarget("/a/..;x/b"), 400},
    {"parameterWithDots", withTarget("/a;x=../b"), 0},
    {"encodedNul", withTarget("/a%00"), 400},
    {"badEscapeInPath", withTarget("/a%zz"), 400},
    {"cutEscapeInPath", withTarget("/a%2"), 400},
    {"fragment", withTarget("/a#b"), 400},
    {"highByte", withTarget("/\xc3\xa9"), 400},
    {"relative", withTarget("a"), 400},
    {"star", withTarget("*"), 400},
    {"optionsStar", request("OPTIONS * HTTP/1.1"), 0},
    {"absolute", withTarget("http://a/b"), 0},
    {"absoluteWithoutPath", withTarget("http://a"), 0},
    {"absoluteUpperCase", withTarget("HTTP://A/b"), 0},
    {"absoluteOtherHost", withTarget("http://b/"), 400},
    {"absoluteOtherPort", withTarget("http://a:81/"), 400},
    {"absoluteUserinfo", withTarget("http://a@a/"), 400},
    {"absoluteWithParent", withTarget("http://a/../"), 400},
    {"absoluteDoubleSlash", withTarget("http://a//b"), 400},
    {"absoluteQueryOnly", withTarget("http://a?b"), 400},
    {"otherScheme", withTarget("ftp://a/"), 400},
    {"authority", withTarget("a:80"), 400},
    {"longTarget", withTarget("/" + std::string(kMaxTargetBytes, 'a')), 414},
    {"longestTarget", withTarget("/" + std::string(kMaxTargetBytes - 1, 'a')), 0},
};

class RequestCorpus : public testing::TestWithParam<Case> {};

TEST_P(RequestCorpus, isJudgedAsExpected) {
  RequestHead head;
  const auto result = parseRequestHead(GetParam().bytes, head);
  EXPECT_EQ(result ? 0 : result.error().status, GetParam().status) << (result ? "accepted" : result.error().reason);
}

INSTANTIATE_TEST_SUITE_P(Head, RequestCorpus, testing::ValuesIn(kCases), [](const auto& info) { return std::string(info.param.name); });

RequestHead parsed(const std::string& bytes) {
  RequestHead head;
  const auto result = parseRequestHead(bytes, head);
  EXPECT_TRUE(result) << result.error().reason;
  return head;
}

TEST(RequestHeadParser, givesViewsOfEveryPart) {
  const std::string bytes = request("POST /p?q HTTP/1.1", "Host: Name.localhost:80\r\nX-A:  one \r\nx-a: two\r\nContent-Length: 12\r\n");
  const RequestHead head = parsed(bytes);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/p?q");
  EXPECT_EQ(head.path(), "/p");
  EXPECT_EQ(head.query(), "q");
  EXPECT_EQ(head.host, "Name.localhost");
  EXPECT_EQ(head.hostPort, "Name.localhost:80");
  EXPECT_EQ(head.headers.find("X-a"), "one");
  EXPECT_EQ(head.headers.all().size(), 4U);
  EXPECT_EQ(head.body.kind, BodyKind::Length);
  EXPECT_EQ(head.body.length, 12U);
}

TEST(RequestHeadParser, reducesAbsoluteTargetsToPaths) {
  EXPECT_EQ(parsed(withTarget("http://a/b?c")).target, "/b?c");
  EXPECT_EQ(parsed(withTarget("http://a")).target, "/");
}

TEST(RequestHeadParser, keepsConnectionsAliveAsTheVersionSays) {
  EXPECT_TRUE(parsed(request("GET / HTTP/1.1")).keepAlive);
  EXPECT_FALSE(parsed(request("GET / HTTP/1.0")).keepAlive);
  EXPECT_FALSE(parsed(request("GET / HTTP/1.1", "Host: a\r\nConnection: foo, Close\r\n")).keepAlive);
  EXPECT_TRUE(parsed(request("GET / HTTP/1.0", "Host: a\r\nConnection: Keep-Alive\r\n")).keepAlive);
}

TEST(RequestHeadParser, reportsUpgradesOnlyWhenConnectionListsThem) {
  EXPECT_EQ(parsed(request("GET / HTTP/1.1", "Host: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n")).upgrade, "websocket");
  EXPECT_EQ(parsed(request("GET / HTTP/1.1", "Host: a\r\nUpgrade: websocket\r\n")).upgrade, "");
  EXPECT_EQ(parsed(request("GET / HTTP/1.0", "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")).upgrade, "");
}

TEST(RequestHeadParser, refusesTooManyFields) {
  std::string fields = "Host: a\r\n";
  for (std::size_t i = 0; i < kMaxFields; ++i) fields += "X: y\r\n";
  RequestHead head;
  EXPECT_EQ(parseRequestHead(request("GET / HTTP/1.1", fields), head).error().status, 431);
}

TEST(RequestHeadParser, forgetsThePreviousHead) {
  const std::string first = request("POST / HTTP/1.1", "Host: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n");
  const std::string second = request("GET / HTTP/1.1");
  RequestHead head;
  ASSERT_TRUE(parseRequestHead(first, head));
  EXPECT_TRUE(head.expectsContinue);
  ASSERT_TRUE(parseRequestHead(second, head));
  EXPECT_EQ(head.body.kind, BodyKind::None);
  EXPECT_FALSE(head.expectsContinue);
  EXPECT_EQ(head.headers.all().size(), 1U);
}

}  // namespace
}  // namespace swarm::net
