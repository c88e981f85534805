// Host names: base host, instance, port of an instance, or foreign.
#include "gateway/host.h"

#include <gtest/gtest.h>

namespace swarm::gateway {
namespace {

const HostScheme kLaptop;
const HostScheme kDomain{"swarm.example.com", "example.com"};

TEST(ParseHost, recognizesTheBaseHostAndTheAddressesOfThisMachine) {
  for (const auto* host : {"swarm.localhost", "SWARM.LOCALHOST", "swarm.localhost."})
    EXPECT_EQ(parseHost(host, kLaptop).kind(), HostKind::Base) << host;
  EXPECT_EQ(parseHost("swarm.example.com", kDomain).kind(), HostKind::Base);
  for (const auto* host : {"localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.1.2.3", "[::1]"}) {
    EXPECT_EQ(parseHost(host, kLaptop).kind(), HostKind::Address) << host;
    EXPECT_EQ(parseHost(host, kDomain).kind(), HostKind::Address) << host;
  }
}

TEST(ParseHost, findsAnInstanceInAnyCase) {
  const auto host = parseHost("Ws-1.LocalHost", kLaptop);
  EXPECT_EQ(host.kind(), HostKind::Instance);
  EXPECT_EQ(host.label(), "ws-1");
  EXPECT_EQ(host.instance(), "ws-1");
  EXPECT_EQ(host.port(), 0);
  EXPECT_FALSE(host.isDashed());
}

TEST(ParseHost, findsAPortOfAnInstanceInBothForms) {
  for (const auto* scheme : {&kLaptop, &kDomain}) {
    for (const std::string label : {"8080--ws", "8080.ws"}) {
      const auto host = parseHost(label + "." + scheme->instanceDomain, *scheme);
      EXPECT_EQ(host.kind(), HostKind::Instance);
      EXPECT_EQ(host.label(), label);
      EXPECT_EQ(host.instance(), "ws");
      EXPECT_EQ(host.port(), 8080);
      EXPECT_EQ(host.isDashed(), label == "8080--ws");
    }
  }
  EXPECT_EQ(kLaptop.hostOf("ws", 8080), "8080.ws.localhost");
  EXPECT_EQ(kDomain.hostOf("ws", 8080), "8080--ws.example.com");
  EXPECT_EQ(kDomain.hostOf("ws", 0), "ws.example.com");
}

TEST(ParseHost, keepsDoubleDashesOfNamesThatAreNotPorts) {
  const auto host = parseHost("a--b.localhost", kLaptop);
  EXPECT_EQ(host.instance(), "a--b");
  EXPECT_EQ(host.port(), 0);
  EXPECT_EQ(parseHost("123.localhost", kLaptop).instance(), "123");
}

TEST(ParseHost, treatsNamesOutsideTheDomainsAsForeign) {
  for (const auto* host : {"evil.com", "localhost.evil.com", "evillocalhost", "128.0.0.1", "127.evil.com", "[::2]", ".localhost", "",
                           "swarm.example.com.evil.com"})
    for (const auto* scheme : {&kLaptop, &kDomain}) EXPECT_EQ(parseHost(host, *scheme).kind(), HostKind::Foreign) << host;
}

TEST(ParseHost, hasNoLabelWhereNoneCanBe) {
  for (const auto* host :
       {"a.b.localhost", "-a.localhost", "a-.localhost", "a_b.localhost", "0--ws.localhost", "65536--ws.localhost", "080--ws.localhost",
        "80--.localhost", "80---x.localhost", "0.ws.localhost", "65536.ws.localhost", "080.ws.localhost", "80..localhost",
        "80.-x.localhost", "1.80.ws.localhost", "80.81--ws.localhost.x.localhost"}) {
    const auto parsed = parseHost(host, kLaptop);
    EXPECT_EQ(parsed.kind(), HostKind::Instance) << host;
    EXPECT_EQ(parsed.label(), "") << host;
    EXPECT_EQ(parsed.port(), 0) << host;
  }
  EXPECT_EQ(parseHost(std::string(64, 'a') + ".localhost", kLaptop).label(), "");
  EXPECT_EQ(parseHost(std::string(63, 'a') + ".localhost", kLaptop).label().size(), 63U);
  EXPECT_EQ(parseHost("65535." + std::string(63, 'a') + ".localhost", kLaptop).port(), 65535);
  EXPECT_EQ(parseHost("65535--" + std::string(63, 'a') + ".localhost", kLaptop).label(), "");
}

TEST(IsLocalPath, refusesPathsThatABrowserReadsAsAnotherOrigin) {
  for (const auto* path : {"", "x", "//evil.com", "/\\evil.com", "\\/evil.com", "/\t/evil.com", "/a\r\nb", "/a b", "/a\\b",
                           "http://evil.com", "javascript:alert(1)", "/\x80"})
    EXPECT_FALSE(isLocalPath(path)) << path;
  for (const auto* path : {"/", "/a/b?c=d&e=//f", "/a//b", "/?folder=/home/coder"}) EXPECT_TRUE(isLocalPath(path)) << path;
}

}  // namespace
}  // namespace swarm::gateway
