// Head rewriting: what applications and clients receive, byte for byte.
#include "gateway/proxy/rewrite.h"

#include <gtest/gtest.h>

#include "auth/browser/cookies.h"

namespace swarm::gateway {
namespace {

const ForwardFacts kFacts{.clientAddress = "10.0.0.9", .scheme = "http", .port = "7420"};
const std::string kForwarded =
    "X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Host: ws.localhost:7420\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 7420\r\n";

std::string upstreamHead(const std::string& fields, const std::string& line = "GET /a?b HTTP/1.1", ForwardFacts facts = kFacts) {
  const std::string text = line + "\r\nHost: ws.localhost:7420\r\n" + fields + "\r\n";
  net::RequestHead head;
  const auto parsed = net::parseRequestHead(text, head);
  if (!parsed) return "refused: " + std::string(parsed.error().reason);
  std::string out;
  appendUpstreamRequest(head, facts, out);
  return out;
}

std::string plain(const std::string& fields) { return "GET /a?b HTTP/1.1\r\nHost: ws.localhost:7420\r\n" + fields + kForwarded + "\r\n"; }

TEST(UpstreamRequest, keepsTheApplicationsOwnFields) {
  EXPECT_EQ(upstreamHead("Accept: */*\r\nAuthorization: Bearer app\r\nCookie: a=b; c=\"d e\"\r\nOrigin: http://ws.localhost:7420\r\n"),
            plain("Accept: */*\r\nAuthorization: Bearer app\r\nCookie: a=b; c=\"d e\"\r\nOrigin: http://ws.localhost:7420\r\n"));
}

TEST(UpstreamRequest, removesHopByHopFieldsAndThoseThatConnectionNames) {
  EXPECT_EQ(upstreamHead("Connection: keep-alive, X-Mine\r\nKeep-Alive: timeout=5\r\nX-Mine: 1\r\nTE: trailers\r\nTrailer: X\r\n"
                         "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\nAccept: */*\r\n"),
            plain("Accept: */*\r\n"));
}

TEST(UpstreamRequest, keepsHostAndFramingThatAConnectionFieldNames) {
  EXPECT_EQ(upstreamHead("Connection: host, content-length, x-forwarded-for\r\nContent-Length: 3\r\n", "POST /a?b HTTP/1.1"),
            "POST /a?b HTTP/1.1\r\nHost: ws.localhost:7420\r\n" + kForwarded + "Content-Length: 3\r\n\r\n");
}

TEST(UpstreamRequest, stripsOurCookiesAndFields) {
  EXPECT_EQ(upstreamHead("Cookie: swarm_session=x; a=b; swarm_instance_0011aabb=y; SWARM_SESSION=z; __Host-swarm-01=s; "
                         "__secure-swarm-01-ports=p; =__Host-swarm-01=n; swarm_other=c\r\nSwarm-Token: t\r\n"
                         "swarm_token: t\r\n"),
            plain("Cookie: a=b; swarm_other=c\r\n"));
  EXPECT_EQ(upstreamHead("Cookie: swarm_session=x\r\n"), plain(""));
  EXPECT_EQ(upstreamHead("Cookie: swarm_session\r\nCookie:   swarm_instance_ff  =x;;a=b\r\n"), plain("Cookie: a=b\r\n"));
}

TEST(UpstreamRequest, replacesForwardedFieldsOfAClient) {
  EXPECT_EQ(upstreamHead("X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\nX_Forwarded_For: 5\r\n"
                         "X-Real-IP: 6\r\nForwarded: for=7\r\n"),
            plain(""));
}

TEST(UpstreamRequest, keepsForwardedFieldsOfATrustedProxy) {
  auto facts = kFacts;
  facts.trustedProxy = true;
  const auto head =
      upstreamHead("X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n", "GET / HTTP/1.1", facts);
  EXPECT_NE(head.find("X-Forwarded-For: 1.2.3.4, 10.0.0.9\r\n"), std::string::npos);
  EXPECT_NE(head.find("X-Forwarded-Proto: https\r\n"), std::string::npos);
  EXPECT_NE(head.find("X-Forwarded-Port: 443\r\n"), std::string::npos);
}

TEST(UpstreamRequest, replacesTheFraming) {
  EXPECT_NE(upstreamHead("Content-Length: 0\r\n", "POST / HTTP/1.1").find("Content-Length: 0\r\n"), std::string::npos);
  EXPECT_NE(upstreamHead("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.1").find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(upstreamHead("").find("Content-Length"), std::string::npos);
  EXPECT_EQ(upstreamHead("Content-Length: 5\r\nExpect: 100-continue\r\n", "PUT / HTTP/1.1").find("Expect"), std::string::npos);
}

TEST(UpstreamRequest, forwardsAWebSocketUpgradeAndNoHiddenHttp2) {
  const auto socket = upstreamHead("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n");
  EXPECT_NE(socket.find("Connection: Upgrade\r\nUpgrade: websocket\r\n"), std::string::npos);
  EXPECT_NE(socket.find("Sec-WebSocket-Key: k\r\n"), std::string::npos);
  for (const auto* upgrade : {"h2c", "H2C", "websocket, h2c", "HTTP/2.0", "TLS/1.0"}) {
    const auto head = upstreamHead("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + std::string(upgrade) + "\r\nHTTP2-Settings: x\r\n");
    EXPECT_EQ(head.find("pgrade"), std::string::npos) << upgrade;
    EXPECT_EQ(head.find("HTTP2"), std::string::npos) << upgrade;
  }
}

std::string clientHead(const std::string& text, std::string_view method = "GET", int version = 1, bool keep_alive = true,
                       const ResponseRules& rules = {}) {
  net::ResponseHead head;
  if (!net::parseResponseHead(text, method, head)) return "refused";
  std::string out;
  appendClientResponse(head, planClientResponse(head, version, keep_alive), version, rules, out);
  return out;
}

TEST(ClientResponse, keepsTheApplicationsFields) {
  EXPECT_EQ(
      clientHead("HTTP/1.1 200 Fine\r\nServer: app\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\nContent-Length: 4\r\nX: \r\n\r\n"),
      "HTTP/1.1 200 Fine\r\nServer: app\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\nX: \r\nContent-Length: 4\r\n\r\n");
}

TEST(ClientResponse, reframesForTheClientsVersion) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string until_close = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(clientHead(chunked), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(clientHead(until_close), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(clientHead(chunked, "GET", 0), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(clientHead("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", "GET", 0),
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(clientHead("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", "GET", 1, false),
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n");
}

TEST(ClientResponse, keepsTheLengthOfABodyThatDoesNotFollow) {
  EXPECT_EQ(clientHead("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD"), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
  EXPECT_EQ(clientHead("HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"), "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n");
  EXPECT_EQ(clientHead("HTTP/1.1 204 No Content\r\n\r\n"), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(ClientResponse, preventsApplicationsFromReplacingOurCookies) {
  EXPECT_EQ(clientHead("HTTP/1.1 200 OK\r\nSet-Cookie: swarm_session=evil; Domain=example.com\r\nset-cookie: Swarm_Instance_00=x\r\n"
                       "Set-Cookie: swarm=fine\r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nSet-Cookie: swarm=fine\r\nContent-Length: 0\r\n\r\n");
}

TEST(ClientResponse, recognizesOurCookiesInOddSpellings) {
  for (const std::string odd :
       {"__Host-swarm-01=x; Secure; Path=/", "__HOST-SWARM-01=x", " __Host-swarm-01 =x", "\t__Host-swarm-01\t=x", "=__Host-swarm-01=x",
        "= __Host-swarm-01=x", "\"__Host-swarm-01\"=x", "'__Secure-swarm-01-ports'=x", "__Host-swarm-01", "swarm-01=x"})
    EXPECT_EQ(clientHead("HTTP/1.1 200 OK\r\nSet-Cookie: " + odd + "\r\nContent-Length: 0\r\n\r\n"),
              "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        << odd;
}

TEST(ClientResponse, removesCookiesThatAreTooLargeForTheApplication) {
  const std::string refusal = "HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n";
  EXPECT_NE(clientHead(refusal, "GET", 1, true, {.cookiesAreLarge = true}).find("Clear-Site-Data: \"cookies\"\r\n"), std::string::npos);
  EXPECT_EQ(clientHead(refusal).find("Clear-Site-Data"), std::string::npos);
  EXPECT_EQ(clientHead("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", 1, true, {.cookiesAreLarge = true}).find("Clear-Site-Data"),
            std::string::npos);
}

TEST(ClientResponse, makesBrowsersRevalidateStoredPagesAndWorkers) {
  const auto added = [](const std::string& fields, bool is_worker, int status = 200) {
    const auto head = clientHead("HTTP/1.1 " + std::to_string(status) + " R\r\n" + fields + "Content-Length: 0\r\n\r\n", "GET", 1, true,
                                 {.isOfInstance = true, .isWorkerScript = is_worker});
    const bool revalidates = head.find("Cache-Control: no-cache\r\n") != std::string::npos;
    const bool varies = head.find("Vary: Service-Worker\r\n") != std::string::npos;
    EXPECT_TRUE(head.find(fields) != std::string::npos) << head;
    return revalidates ? "revalidates" : varies ? "varies" : "";
  };
  for (const std::string page : {"Content-Type: text/html\r\n", "content-type: IMAGE/SVG+XML\r\n", "Content-Type: application/xml\r\n", "",
                                 "Content-Type: text/css, text/html\r\n", "Content-Type: text/css\r\nContent-Type: text/html\r\n",
                                 "Content-Type: text/html\r\nCache-Control: max-age=31536000, immutable\r\n", "Content-Type: x\r\n"})
    EXPECT_STREQ(added(page, false), "revalidates") << page;
  for (const std::string script : {"Content-Type: text/javascript; charset=utf-8\r\n", "Content-Type: Application/JavaScript\r\n"}) {
    EXPECT_STREQ(added(script, false), "varies") << script;
    EXPECT_STREQ(added(script, true), "revalidates") << script;
  }
  for (const std::string part : {"Content-Type: text/css\r\n", "Content-Type: image/png\r\n", "Content-Type: font/woff2\r\n"})
    EXPECT_STREQ(added(part, false), "") << part;
  EXPECT_STREQ(added("Content-Type: text/css\r\n", false, 304), "revalidates");
}

TEST(ClientResponse, leavesCookiesOfOtherHostsToTheGateway) {
  for (const std::string all : {"\"cookies\"", "\"cache\", \"cookies\"", "\"*\""})
    EXPECT_EQ(clientHead("HTTP/1.1 200 OK\r\nClear-Site-Data: " + all + "\r\nContent-Length: 0\r\n\r\n"),
              "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_NE(clientHead("HTTP/1.1 200 OK\r\nClear-Site-Data: \"storage\"\r\nContent-Length: 0\r\n\r\n").find("Clear-Site-Data"),
            std::string::npos);
}

TEST(ClientResponse, hasNoReportingThatOutlivesTheInstance) {
  EXPECT_EQ(clientHead("HTTP/1.1 200 OK\r\nNEL: {\"report_to\":\"g\",\"max_age\":31536000,\"success_fraction\":1}\r\nreport-to: {}\r\n"
                       "Reporting-Endpoints: g=\"https://x\"\r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nReporting-Endpoints: g=\"https://x\"\r\nContent-Length: 0\r\n\r\n");
}

TEST(ClientResponse, replacesTheApplicationsRulesByItsOwn) {
  EXPECT_EQ(
      clientHead(
          "HTTP/1.1 200 OK\r\nCross-Origin-Opener-Policy: unsafe-none\r\nService-Worker-Allowed: /\r\nX: y\r\nContent-Length: 0\r\n\r\n",
          "GET", 1, true, {.extra = "Cross-Origin-Opener-Policy: same-origin\r\n", .isVscode = true}),
      "HTTP/1.1 200 OK\r\nX: y\r\nCross-Origin-Opener-Policy: same-origin\r\nContent-Length: 0\r\n\r\n");
}

}  // namespace
}  // namespace swarm::gateway
