// The client address of a request through trusted and other proxies.
#include "auth/client_address.h"

#include "base/error.h"
#include "gtest/gtest.h"

namespace swarm {
namespace {

std::string client(const std::vector<std::string>& trusted, const std::string& peer, const std::vector<std::string>& forwarded) {
  net::HeaderViews headers;
  for (const auto& value : forwarded) headers.add({"X-Forwarded-For", value});
  return TrustedProxies(trusted).clientAddress(peer, headers);
}

TEST(ClientAddress, isThePeersWithoutATrustedProxy) {
  EXPECT_EQ(client({}, "10.0.0.1", {"1.2.3.4"}), "10.0.0.1");
  EXPECT_EQ(client({"10.0.0.2"}, "10.0.0.1", {"1.2.3.4"}), "10.0.0.1");
  EXPECT_EQ(client({"10.0.0.1"}, "10.0.0.1", {}), "10.0.0.1");
}

TEST(ClientAddress, isTheLastOneThatIsNotATrustedProxy) {
  EXPECT_EQ(client({"10.0.0.1"}, "10.0.0.1", {"1.2.3.4"}), "1.2.3.4");
  // The client's own entries are first, and are not trusted.
  EXPECT_EQ(client({"10.0.0.1"}, "10.0.0.1", {"6.6.6.6, 1.2.3.4"}), "1.2.3.4");
  EXPECT_EQ(client({"10.0.0.1"}, "10.0.0.1", {"6.6.6.6", "1.2.3.4"}), "1.2.3.4");
  EXPECT_EQ(client({"10.0.0.0/8"}, "10.0.0.1", {"6.6.6.6, 1.2.3.4, 10.9.9.9"}), "1.2.3.4");
  EXPECT_EQ(client({"10.0.0.0/8"}, "10.0.0.1", {"6.6.6.6, 1.2.3.4", "10.9.9.9 , 10.1.1.1"}), "1.2.3.4");
  EXPECT_EQ(client({"10.0.0.0/8"}, "10.0.0.1", {"10.9.9.9"}), "10.9.9.9") << "all are trusted: the farthest";
  EXPECT_EQ(client({"10.0.0.1"}, "10.0.0.1", {"1.2.3.4, unknown"}), "10.0.0.1") << "a malformed entry ends the trusted part";
}

TEST(ClientAddress, readsAddressesWithPortsAndOfBothFamilies) {
  EXPECT_EQ(client({"10.0.0.1"}, "10.0.0.1", {"1.2.3.4:5678"}), "1.2.3.4");
  EXPECT_EQ(client({"10.0.0.1"}, "::ffff:10.0.0.1", {"[2001:db8::7]:99"}), "2001:db8::7");
  EXPECT_EQ(client({"fd00::/8"}, "fd00::1", {"2001:db8::7"}), "2001:db8::7");
  EXPECT_EQ(client({"172.16.0.0/12"}, "172.31.255.1", {"1.1.1.1"}), "1.1.1.1");
  EXPECT_EQ(client({"172.16.0.0/12"}, "172.32.0.1", {"1.1.1.1"}), "172.32.0.1");
}

TEST(ClientAddress, refusesProxiesThatAreNotAddresses) {
  for (const std::string bad : {"", "proxy.example.com", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "fd00::/129"})
    EXPECT_THROW(TrustedProxies({bad}), Error) << bad;
}

}  // namespace
}  // namespace swarm
