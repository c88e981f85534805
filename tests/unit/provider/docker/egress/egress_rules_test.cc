// The rules of nftables that an egress policy becomes.
#include "provider/docker/egress/egress_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swarm::docker {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

NetworkConfig withPolicy(EgressPolicy policy, std::vector<std::string> allow = {}) {
  NetworkConfig network;
  network.egress = EgressConfig{policy, std::move(allow)};
  return network;
}
DockerProviderConfig server(EgressPolicy policy, std::vector<std::string> allow = {}) {
  DockerProviderConfig config;
  config.egress = policy;
  config.egressAllow = std::move(allow);
  return config;
}
std::string rulesOf(const NetworkConfig& network, const DockerProviderConfig& config = {}, const EgressSurroundings& surroundings = {}) {
  return egressRuleset(egressLimits(network, config), surroundings).text;
}
/// The rules of one chain, in their order.
std::string chainOf(const std::string& rules, const std::string& name) {
  const auto begin = rules.find("  chain " + name + " {\n");
  return begin == std::string::npos ? "" : rules.substr(begin, rules.find("  }\n", begin) - begin);
}
EgressTarget target(const std::string& text) { return *parseEgressTarget(text); }

TEST(EgressRuleset, isEmptyForOpen) {
  EXPECT_TRUE(egressLimits({}, {}).empty());
  EXPECT_TRUE(egressLimits(withPolicy(EgressPolicy::open, {"10.0.0.1"}), {}).empty());
  const EgressRuleset rules = egressRuleset({}, {});
  EXPECT_EQ(rules.text, "table inet swarm {}\ndelete table inet swarm\n") << "what stood before is removed";
  EXPECT_EQ(rules.id, "");
}

TEST(EgressRuleset, ofNoneLetsNothingOutButLoopbackResponsesAndWhatIsAllowed) {
  const std::string chain = chainOf(rulesOf(withPolicy(EgressPolicy::none, {"10.1.0.0/16:443", "fd00::/8"}), {},
                                            {.machine = {}, .resolvers = {target("10.0.0.2")}, .peers = {target("172.18.0.0/16")}}),
                                    "instance");
  EXPECT_EQ(chain,
            "  chain instance {\n"
            "    type filter hook output priority 0; policy accept;\n"
            "    oif lo accept\n"
            "    ct state established,related accept\n"
            "    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept\n"
            "    ip daddr 10.1.0.0/16 meta l4proto { tcp, udp } th dport 443 accept\n"
            "    ip6 daddr fd00::/8 accept\n"
            "    goto deny\n");
}

TEST(EgressRuleset, ofDefaultRefusesMachineAndPrivateRangesButNotPeersAndResolvers) {
  const std::string chain = chainOf(rulesOf(withPolicy(EgressPolicy::standard, {"192.168.7.0/24"}), {},
                                            {.machine = {target("172.18.0.1"), target("198.51.100.7")},
                                             .resolvers = {target("10.0.0.2")},
                                             .peers = {target("172.18.0.0/16")}}),
                                    "instance");
  for (const char* range :
       {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32"})
    EXPECT_THAT(chain, HasSubstr(std::string("ip daddr ") + range + " goto deny\n"));
  for (const char* range : {"fc00::/7", "fe80::/10", "::ffff:0:0/96", "64:ff9b::a9fe:0/112"})
    EXPECT_THAT(chain, HasSubstr(std::string("ip6 daddr ") + range + " goto deny\n"));
  EXPECT_THAT(chain, HasSubstr("ip daddr 198.51.100.7/32 goto deny\n")) << "a public address of the machine";
  const auto at = [&](const std::string& rule) {
    EXPECT_THAT(chain, HasSubstr(rule));
    return chain.find(rule);
  };
  const auto ranges = at("ip daddr 172.16.0.0/12 goto deny");
  EXPECT_LT(at("ip daddr 192.168.7.0/24 accept"), at("ip daddr 192.168.0.0/16 goto deny"));
  EXPECT_LT(at("ip daddr 10.0.0.2/32 meta l4proto { tcp, udp } th dport 53 accept"), at("ip daddr 10.0.0.0/8 goto deny"));
  EXPECT_LT(at("ip daddr 172.18.0.0/16 accept"), ranges);
  EXPECT_LT(at("ip daddr 172.18.0.1/32 goto deny"), at("ip daddr 172.18.0.0/16 accept")) << "the machine is not a peer";
}

TEST(EgressRuleset, appliesTheServersPolicyAndTheInstances) {
  const std::string rules = rulesOf(withPolicy(EgressPolicy::none, {"10.0.0.1"}), server(EgressPolicy::standard, {"10.9.0.0/16"}));
  EXPECT_THAT(chainOf(rules, "server"), HasSubstr("ip daddr 10.9.0.0/16 accept"));
  EXPECT_THAT(chainOf(rules, "server"), Not(HasSubstr("10.0.0.1/32")));
  EXPECT_THAT(chainOf(rules, "instance"), HasSubstr("ip daddr 10.0.0.1/32 accept"));
  EXPECT_THAT(chainOf(rules, "instance"), Not(HasSubstr("10.9.0.0/16")));
  EXPECT_EQ(egressLimits(withPolicy(EgressPolicy::open, {"10.0.0.1"}), server(EgressPolicy::standard)).size(), 1u)
      << "open does not loosen it";
}

TEST(EgressRuleset, ofTheInstanceReplacesTheServersWhereThatIsConfigured) {
  DockerProviderConfig config = server(EgressPolicy::none);
  config.instancesMayLoosenEgress = true;
  EXPECT_TRUE(egressLimits(withPolicy(EgressPolicy::open), config).empty());
  EXPECT_EQ(strictestOf(egressLimits(withPolicy(EgressPolicy::standard), config)), EgressPolicy::standard);
  EXPECT_EQ(strictestOf(egressLimits({}, config)), EgressPolicy::none) << "without one of its own";
}

TEST(EgressRuleset, isNamedByItsContents) {
  const auto id = [](const NetworkConfig& network) { return egressRuleset(egressLimits(network, {}), {}).id; };
  EXPECT_EQ(id(withPolicy(EgressPolicy::none)), id(withPolicy(EgressPolicy::none)));
  EXPECT_NE(id(withPolicy(EgressPolicy::none)), id(withPolicy(EgressPolicy::none, {"10.0.0.1"})));
  EXPECT_NE(id(withPolicy(EgressPolicy::none)), id(withPolicy(EgressPolicy::standard)));
  EXPECT_THAT(rulesOf(withPolicy(EgressPolicy::none)), HasSubstr("  chain " + id(withPolicy(EgressPolicy::none)) + " {}\n"));
}

TEST(EgressRuleset, countsAndReportsWhatItRefuses) {
  EXPECT_THAT(rulesOf(withPolicy(EgressPolicy::none)), HasSubstr("  chain deny {\n    counter name denied\n"));
}

}  // namespace
}  // namespace swarm::docker
