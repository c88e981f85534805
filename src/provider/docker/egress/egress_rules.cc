#include "provider/docker/egress/egress_rules.h"

#include <algorithm>
#include <array>

#include "base/id.h"
#include "base/text/format.h"

namespace swarm::docker {
namespace {

using Family = EgressTarget::Family;

/// Private, link-local, shared, multicast and reserved ranges, and metadata services outside of them (Azure's 168.63.129.16).
constexpr std::array<std::string_view, 13> kPrivateV4{
    "0.0.0.0/8",    "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",      "192.88.99.0/24"};
/// The same, and what a translator would turn into private IPv4 addresses (64:ff9b::/96, 6to4, Teredo).
constexpr std::array<std::string_view, 14> kPrivateV6{"::/96",
                                                      "::ffff:0:0/96",
                                                      "64:ff9b::a00:0/104",
                                                      "64:ff9b::6440:0/106",
                                                      "64:ff9b::7f00:0/104",
                                                      "64:ff9b::a9fe:0/112",
                                                      "64:ff9b::ac10:0/108",
                                                      "64:ff9b::c0a8:0/112",
                                                      "64:ff9b:1::/48",
                                                      "2002::/16",
                                                      "fc00::/7",
                                                      "fe80::/10",
                                                      "fec0::/10",
                                                      "ff00::/8"};

std::string destination(const EgressTarget& target) {
  return format("{} daddr {}", target.family == Family::V4 ? "ip" : "ip6", target.network);
}

std::string portMatch(std::uint16_t port) { return port == 0 ? "" : format(" meta l4proto {{ tcp, udp }} th dport {}", port); }

void addRule(std::string& text, std::string_view rule) { text += format("    {}\n", rule); }

void addDefault(std::string& text, const EgressSurroundings& surroundings) {
  for (const EgressTarget& resolver : surroundings.resolvers) addRule(text, format("{}{} accept", destination(resolver), portMatch(53)));
  for (const EgressTarget& address : surroundings.machine) addRule(text, destination(address) + " goto deny");
  for (const EgressTarget& peers : surroundings.peers) addRule(text, destination(peers) + " accept");
  for (std::string_view range : kPrivateV4) addRule(text, format("ip daddr {} goto deny", range));
  for (std::string_view range : kPrivateV6) addRule(text, format("ip6 daddr {} goto deny", range));
}

void addChain(std::string& text, const EgressLimit& limit, const EgressSurroundings& surroundings) {
  text += format("  chain {} {{\n", limit.chain);
  addRule(text, "type filter hook output priority 0; policy accept;");
  addRule(text, "oif lo accept");
  addRule(text, "ct state established,related accept");
  addRule(text, "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept");
  for (const EgressTarget& target : limit.allow) addRule(text, destination(target) + portMatch(target.port) + " accept");
  if (limit.policy == EgressPolicy::standard) addDefault(text, surroundings);
  if (limit.policy == EgressPolicy::none) addRule(text, "goto deny");
  text += "  }\n";
}

EgressLimit limitOf(std::string chain, EgressPolicy policy, const std::vector<std::string>& allow) {
  EgressLimit limit{std::move(chain), policy, {}};
  for (const std::string& text : allow)
    if (auto target = parseEgressTarget(text)) limit.allow.push_back(std::move(*target));
  return limit;
}

}  // namespace

std::vector<EgressLimit> egressLimits(const NetworkConfig& network, const DockerProviderConfig& config) {
  std::vector<EgressLimit> limits;
  const bool is_replaced = network.egress && config.instancesMayLoosenEgress;
  if (config.egress != EgressPolicy::open && !is_replaced) limits.push_back(limitOf("server", config.egress, config.egressAllow));
  if (network.egress && network.egress->policy != EgressPolicy::open)
    limits.push_back(limitOf("instance", network.egress->policy, network.egress->allow));
  return limits;
}

EgressPolicy strictestOf(const std::vector<EgressLimit>& limits) {
  EgressPolicy strictest = EgressPolicy::open;
  for (const EgressLimit& limit : limits) strictest = std::max(strictest, limit.policy);
  return strictest;
}

EgressRuleset egressRuleset(const std::vector<EgressLimit>& limits, const EgressSurroundings& surroundings) {
  EgressRuleset ruleset{"table inet swarm {}\ndelete table inet swarm\n", ""};
  if (limits.empty()) return ruleset;
  std::string chains;
  for (const EgressLimit& limit : limits) addChain(chains, limit, surroundings);
  ruleset.id = "rules_" + toHex(sha256(chains)).substr(0, 16);
  // A refusal is reported at once: a program that waits for its connection to time out looks broken.
  ruleset.text += format(
      "table inet swarm {{\n"
      "  counter denied {{}}\n"
      "  chain {} {{}}\n"
      "  chain deny {{\n"
      "    counter name denied\n"
      "    meta l4proto tcp reject with tcp reset\n"
      "    reject with icmpx type admin-prohibited\n"
      "  }}\n"
      "{}}}\n",
      ruleset.id, chains);
  return ruleset;
}

}  // namespace swarm::docker
