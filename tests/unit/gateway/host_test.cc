// Host names: what is the base domain, an instance, a port of one, or nobody we know.
#include "gateway/host.h"

#include <gtest/gtest.h>

namespace swarm::gateway {
namespace {

TEST(ParseHost, knowsTheBaseDomainAndLoopbackAddresses) {
  for (const auto* host : {"localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.1.2.3", "[::1]"})
    EXPECT_EQ(parseHost(host, "localhost").kind(), HostKind::Base) << host;
  EXPECT_EQ(parseHost("swarm.example.com", "swarm.example.com").kind(), HostKind::Base);
}

TEST(ParseHost, findsAnInstanceInAnyCase) {
  const auto host = parseHost("Ws-1.LocalHost", "localhost");
  EXPECT_EQ(host.kind(), HostKind::Instance);
  EXPECT_EQ(host.label(), "ws-1");
  EXPECT_EQ(host.instance(), "ws-1");
  EXPECT_EQ(host.port(), 0);
}

TEST(ParseHost, findsAPortOfAnInstance) {
  const auto host = parseHost("8080--ws.swarm.example.com", "swarm.example.com");
  EXPECT_EQ(host.kind(), HostKind::Instance);
  EXPECT_EQ(host.label(), "8080--ws");
  EXPECT_EQ(host.instance(), "ws");
  EXPECT_EQ(host.port(), 8080);
}

TEST(ParseHost, keepsDoubleDashesOfNamesThatAreNoPort) {
  const auto host = parseHost("a--b.localhost", "localhost");
  EXPECT_EQ(host.instance(), "a--b");
  EXPECT_EQ(host.port(), 0);
}

TEST(ParseHost, callsForeignWhatIsNotUnderTheBaseDomain) {
  for (const auto* host : {"evil.com", "localhost.evil.com", "evillocalhost", "128.0.0.1", "127.evil.com", "[::2]", ".localhost", ""})
    EXPECT_NE(parseHost(host, "localhost").kind(), HostKind::Base) << host;
  EXPECT_EQ(parseHost("evil.com", "localhost").kind(), HostKind::Foreign);
  EXPECT_EQ(parseHost("evillocalhost", "localhost").kind(), HostKind::Foreign);
}

TEST(ParseHost, hasNoLabelWhereNoneCanBe) {
  for (const auto* host : {"a.b.localhost", "-a.localhost", "a-.localhost", "a_b.localhost", "0--ws.localhost", "65536--ws.localhost",
                           "080--ws.localhost", "80--.localhost", "80---x.localhost"}) {
    const auto parsed = parseHost(host, "localhost");
    EXPECT_EQ(parsed.kind(), HostKind::Instance) << host;
    EXPECT_EQ(parsed.label(), "") << host;
  }
  EXPECT_EQ(parseHost(std::string(64, 'a') + ".localhost", "localhost").label(), "");
  EXPECT_EQ(parseHost(std::string(63, 'a') + ".localhost", "localhost").label().size(), 63U);
}

TEST(IsLocalPath, refusesWhatABrowserReadsAsAnotherOrigin) {
  for (const auto* path : {"", "x", "//evil.com", "/\\evil.com", "\\/evil.com", "/\t/evil.com", "/a\r\nb", "/a b", "/a\\b",
                           "http://evil.com", "javascript:alert(1)", "/\x80"})
    EXPECT_FALSE(isLocalPath(path)) << path;
  for (const auto* path : {"/", "/a/b?c=d&e=//f", "/a//b", "/?folder=/home/coder"}) EXPECT_TRUE(isLocalPath(path)) << path;
}

}  // namespace
}  // namespace swarm::gateway
