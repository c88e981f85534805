// URLs of servers, and origins of pages.
#include "net/url.h"

#include <gtest/gtest.h>

namespace swarm::net {
namespace {

TEST(Url, isTakenApart) {
  auto url = parseUrl("https://swarm.example.com");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "swarm.example.com");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->target, "");
  EXPECT_EQ(url->origin(), "https://swarm.example.com");
  url = parseUrl("http://127.0.0.1:4280/token?a=b");
  ASSERT_TRUE(url);
  EXPECT_FALSE(url->tls);
  EXPECT_EQ(url->authority(), "127.0.0.1:4280");
  EXPECT_EQ(url->target, "/token?a=b");
  url = parseUrl("HTTP://[::1]:80/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->authority(), "[::1]");
  EXPECT_EQ(parseUrl("http://host:/")->port, 80);
}

TEST(Url, ofAnotherKindIsRefused) {
  for (const char* wrong : {"", "host", "host:80", "ftp://host", "http://", "http:///path", "http://user@host", "http://host:0",
                            "http://host:65536", "http://host:x", "http://host#part", "http://ho st", "unix:///socket"}) {
    EXPECT_FALSE(parseUrl(wrong)) << wrong;
  }
}

TEST(Origin, isThatOfAnUrl) {
  auto origin = parseOrigin("https://8080--ws.example.com:8443/a|b?\"c#d");
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->scheme, "https");
  EXPECT_EQ(origin->host, "8080--ws.example.com");
  EXPECT_EQ(origin->port, ":8443");
  origin = parseOrigin("http://localhost");
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->port, "");
  origin = parseOrigin("http://[::1]:7420");
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->host, "[::1]");
  EXPECT_EQ(origin->port, ":7420");
}

TEST(Origin, ofAnOpaqueOrForgedOneIsNone) {
  for (const char* wrong : {"null", "", "://host", "http://", "file:///a", "http://ws.localhost:7420@evil.example", "http://a b",
                            "HTTP://host", "http://host:x"}) {
    EXPECT_FALSE(parseOrigin(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace swarm::net
