// Which texts name a network that an egress policy allows.
#include "model/rules/egress_target.h"

#include <gtest/gtest.h>

#include "model/codec/codec.h"
#include "model/rules/validation.h"

namespace swarm {
namespace {

using Family = EgressTarget::Family;

TEST(EgressTargets, areAddressesAndNetworksWithAndWithoutAPort) {
  EXPECT_EQ(parseEgressTarget("10.1.0.0/16"), (EgressTarget{Family::V4, "10.1.0.0/16", 0}));
  EXPECT_EQ(parseEgressTarget("10.1.2.3:443"), (EgressTarget{Family::V4, "10.1.2.3/32", 443}));
  EXPECT_EQ(parseEgressTarget("0.0.0.0/0:53"), (EgressTarget{Family::V4, "0.0.0.0/0", 53}));
  EXPECT_EQ(parseEgressTarget("fd00::/8"), (EgressTarget{Family::V6, "fd00::/8", 0}));
  EXPECT_EQ(parseEgressTarget("2001:DB8::1"), (EgressTarget{Family::V6, "2001:db8::1/128", 0}));
  EXPECT_EQ(parseEgressTarget("[fd00::/8]:65535"), (EgressTarget{Family::V6, "fd00::/8", 65535}));
  EXPECT_EQ(parseEgressTarget("[::1]"), (EgressTarget{Family::V6, "::1/128", 0}));
}

TEST(EgressTargets, loseTheBitsBeyondTheirPrefix) {
  EXPECT_EQ(parseEgressTarget("10.1.2.3/12")->network, "10.0.0.0/12");
  EXPECT_EQ(parseEgressTarget("255.255.255.255/31")->network, "255.255.255.254/31");
  EXPECT_EQ(parseEgressTarget("ffff::1/9")->network, "ff80::/9");
}

TEST(EgressTargets, areNothingElse) {
  for (const char* text : {"",
                           "example.com",
                           "10.0.0.0/33",
                           "10.0.0.0/-1",
                           "10.0.0/8",
                           "10.0.0.1:0",
                           "10.0.0.1:65536",
                           "10.0.0.1:",
                           ":443",
                           "fd00::/129",
                           "[fd00::/8]443",
                           "[fd00::/8",
                           "[10.0.0.1]:80",
                           "10.0.0.1 accept",
                           "10.0.0.1/8; flush ruleset",
                           "10.0.0.1:80:90",
                           "fe80::1%eth0",
                           "0x0a.0.0.1",
                           "10.0.0.01x",
                           "*:443"})
    EXPECT_FALSE(parseEgressTarget(text)) << text;
  EXPECT_FALSE(parseEgressTarget(std::string("10.0.0.1\0", 9)));
  EXPECT_FALSE(parseEgressTarget(std::string(100, '1')));
}

std::vector<FieldError> faultsOf(std::string_view json) {
  std::vector<FieldError> faults;
  const auto network = decode<NetworkConfig>(boost::json::parse(json), {}, "/network", faults, UnknownFields::Refuse);
  if (faults.empty()) validateNetwork(network, faults, "/network");
  return faults;
}

TEST(EgressPolicies, areReadAndValidated) {
  EXPECT_TRUE(faultsOf(R"({"egress":{"policy":"default","allow":["10.0.0.0/8:443"]}})").empty());
  EXPECT_TRUE(faultsOf(R"({"egress":null})").empty());
  EXPECT_EQ(faultsOf(R"({"egress":{"policy":"standard"}})").at(0).pointer, "/network/egress/policy");
  EXPECT_EQ(faultsOf(R"({"egress":{"allow":["10.0.0.0/8","home"]}})").at(0).pointer, "/network/egress/allow/1");
  std::string many = R"({"egress":{"allow":["10.0.0.1")";
  for (int i = 0; i < 64; ++i) many += R"(,"10.0.0.1")";
  EXPECT_EQ(faultsOf(many + "]}}").at(0).pointer, "/network/egress/allow") << "at most 64";
}

TEST(EgressPolicies, areWrittenUnderTheNamesOfTheApi) {
  NetworkConfig network;
  EXPECT_FALSE(toJson(network).as_object().contains("egress")) << "rows of earlier versions stay as they are";
  network.egress = EgressConfig{EgressPolicy::standard, {"10.0.0.0/8"}};
  EXPECT_EQ(boost::json::serialize(toJson(network).at("egress")), R"({"policy":"default","allow":["10.0.0.0/8"]})");
}

}  // namespace
}  // namespace swarm
