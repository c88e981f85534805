// Cases 21 to 26: IP assignments.
#include <boost/asio/ip/address.hpp>

#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

constexpr const char* kIps = "/v1/apps/a1/ip_assignments";

bool isIpv6(const std::string& text) {
  boost::system::error_code error;
  boost::asio::ip::make_address_v6(text, error);
  return !error;
}

bool isListed(const FlyResponse& list, const std::string& ip) {
  for (const json::value& one : list.body.at("ips").as_array()) {
    if (textAt(one, "/ip") == ip) return true;
  }
  return false;
}

TEST_P(FlyRules, case021_aV6AddressIsAssignedAndListed) {
  createApp();
  EXPECT_EQ(get(kIps).at("/ips"), "[]") << "an app gets no address automatically";
  const FlyResponse assigned = post(kIps, R"({"type":"v6"})");
  EXPECT_EQ(assigned.status, 200) << assigned;
  EXPECT_TRUE(isIpv6(assigned.at("/ip"))) << assigned;
  EXPECT_EQ(assigned.at("/shared"), "false");
  EXPECT_TRUE(isListed(get(kIps), assigned.at("/ip")));
}

TEST_P(FlyRules, case023_aSharedV4AddressHasNoRegionOfItsOwn) {
  createApp();
  const FlyResponse response = post(kIps, R"({"type":"shared_v4","region":"ams"})");
  EXPECT_EQ(response.status, 400);
  EXPECT_TRUE(response.error().contains("region selection is not supported for this IP type")) << response;
  const FlyResponse organisation = post(kIps, R"({"type":"shared_v4","org_slug":"personal"})");
  EXPECT_EQ(organisation.status, 400);
  EXPECT_TRUE(organisation.error().contains("organization not found")) << organisation;
  EXPECT_EQ(get(kIps).at("/ips"), "[]");
}

TEST_P(FlyRules, case024_aPrivateAddressBelongsToTheNetworkThatIsNamed) {
  createApp();
  const FlyResponse response = post(kIps, R"({"type":"private_v6","network":"n2"})");
  EXPECT_EQ(response.status, 200) << response;
  EXPECT_TRUE(response.at("/ip").starts_with("fdaa:")) << response;
  EXPECT_TRUE(isIpv6(response.at("/ip"))) << response;
  EXPECT_EQ(response.at("/network/name"), "n2");
}

TEST_P(FlyRules, case026_aReleasedAddressIsListedNoMore) {
  createApp();
  const std::string ip = post(kIps, R"({"type":"v6"})").at("/ip");
  const FlyResponse released = remove(std::string(kIps) + "/" + ip);
  EXPECT_EQ(released.status, 204) << released;
  EXPECT_EQ(released.text, "");
  EXPECT_FALSE(isListed(get(kIps), ip));
}

TEST_P(FlyRules, aDedicatedV4AddressIsNotShared) {
  createApp();
  const FlyResponse response = post(kIps, R"({"type":"v4"})");
  EXPECT_EQ(response.status, 200) << response;
  boost::system::error_code error;
  boost::asio::ip::make_address_v4(response.at("/ip"), error);
  EXPECT_FALSE(error) << response;
  EXPECT_EQ(response.at("/shared"), "false");
}

TEST_P(FlyRules, addressesOfOneAppAreNotThoseOfAnother) {
  createApp("a1");
  createApp("a2");
  const std::string mine = post(kIps, R"({"type":"v6"})").at("/ip");
  EXPECT_NE(post("/v1/apps/a2/ip_assignments", R"({"type":"v6"})").at("/ip"), mine);
  EXPECT_EQ(get(kIps).body.at("ips").as_array().size(), 1u);
}

TEST_P(FlyRules, addressesAnswerAWrongTokenInTheirOwnWords) {
  const FlyResponse response = send({"GET", kIps, {}, {}, "Bearer bad"});
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.at("/message"), "Unauthorized");
}

}  // namespace
}  // namespace swarm::testing
