// The part of an address that one client has.
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

TEST(AddressGroup, isTheIpv4AddressThatADualStackListenerReports) {
  EXPECT_EQ(addressGroup("::ffff:10.0.0.1"), addressGroup("10.0.0.1"));
  EXPECT_NE(addressGroup("::ffff:10.0.0.1"), addressGroup("::ffff:10.0.0.2"));
}

}  // namespace
}  // namespace swarm::net
