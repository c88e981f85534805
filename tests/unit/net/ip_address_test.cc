// Addresses of clients: the part that one client has, and networks.
#include "net/ip_address.h"

#include <gtest/gtest.h>

namespace swarm::net {
namespace {

TEST(AddressGroup, isANetworkForIpv6) {
  EXPECT_EQ(addressGroup("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(addressGroup(""), "");
  EXPECT_EQ(addressGroup("2001:db8::1"), addressGroup("2001:db8::ffff:1"));
  EXPECT_NE(addressGroup("2001:db8::1"), addressGroup("2001:db8:0:1::1"));
  EXPECT_EQ(addressGroup("2001:db8:1:2:3::4"), addressGroup("[2001:db8:1:2:ffff::9]:4711"));
}

TEST(NetworkGroup, isWhatAnAttackerMayHaveAllOf) {
  EXPECT_EQ(networkGroup("192.0.2.7"), "192.0.0.0/16");
  EXPECT_EQ(networkGroup("::ffff:192.0.2.7"), "192.0.0.0/16");
  EXPECT_EQ(networkGroup("2001:db8:1:2:3::4"), "2001:db8::/32");
  EXPECT_EQ(networkGroup(""), "");
}

TEST(AddressGroup, isTheIpv4AddressThatADualStackListenerReports) {
  EXPECT_EQ(addressGroup("::ffff:10.0.0.1"), addressGroup("10.0.0.1"));
  EXPECT_NE(addressGroup("::ffff:10.0.0.1"), addressGroup("::ffff:10.0.0.2"));
}

TEST(IpNetwork, containsTheAddressesOfItsPrefixAndFamily) {
  const auto contains = [](std::string_view network, std::string_view address) {
    return parseIpNetwork(network)->contains(*parseIpAddress(address));
  };
  EXPECT_TRUE(contains("172.16.0.0/12", "172.31.255.255"));
  EXPECT_FALSE(contains("172.16.0.0/12", "172.32.0.0"));
  EXPECT_TRUE(contains("192.0.2.7", "::ffff:192.0.2.7"));
  EXPECT_FALSE(contains("192.0.2.7", "192.0.2.8"));
  EXPECT_TRUE(contains("0.0.0.0/0", "192.0.2.7"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_FALSE(contains("::/0", "192.0.2.7"));
  EXPECT_TRUE(contains("fd00::/8", "fdff::1"));
  for (const char* bad : {"", "example.com", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "fd00::/129", "/8"})
    EXPECT_FALSE(parseIpNetwork(bad)) << bad;
}

}  // namespace
}  // namespace swarm::net
