// What an instance may reach, as rules of nftables. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/rules/egress_target.h"
#include "provider/docker/docker_context.h"

namespace swarm::docker {

/// A packet has to pass all limits of an instance.
struct EgressLimit {
  std::string chain;  ///< its name among the rules
  EgressPolicy policy = EgressPolicy::standard;
  std::vector<EgressTarget> allow;
};

/// The server's and the instance's, without those of the policy `open`.
std::vector<EgressLimit> egressLimits(const NetworkConfig& network, const DockerProviderConfig& config);
/// The strictest policy among them; none: open.
EgressPolicy strictestOf(const std::vector<EgressLimit>& limits);

/// What `default` distinguishes, as EgressTarget::network. Networks of neither family are left out.
struct EgressSurroundings {
  std::vector<EgressTarget> machine;    ///< addresses of the Engine's machine
  std::vector<EgressTarget> resolvers;  ///< where the Engine sends DNS queries of its containers
  std::vector<EgressTarget> peers;      ///< the instance's own networks
};

/// The commands of nft that replace all earlier rules at once. Without limits they only remove them.
struct EgressRuleset {
  std::string text;
  std::string id;  ///< of these rules: the name of an empty chain, which shows that they stand; empty without limits
};
EgressRuleset egressRuleset(const std::vector<EgressLimit>& limits, const EgressSurroundings& surroundings);

}  // namespace swarm::docker
