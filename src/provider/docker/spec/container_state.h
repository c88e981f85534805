// The Engine's inspection of a container as a ProviderInstance. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <set>
#include <string>
#include <vector>

#include "engine/container_status.h"
#include "provider/docker/docker_context.h"

namespace swarm::docker {

using engine::ContainerStatus;

/// The part of an inspection that the provider works with.
struct ContainerDetails {
  std::string id;
  ContainerStatus status = ContainerStatus::unknown;
  std::string specHash;
  std::string imageName;  ///< as requested
  std::string network;
  std::string networkId;  ///< of the one that it joined, or will join at its start
  bool internal = false;
  bool connected = true;                ///< to its network; not after a manual disconnect at the Engine
  std::string networkAddress;           ///< of the container, empty when it does not run
  std::set<std::int64_t> exposedPorts;  ///< as requested
  std::int64_t agentPort = 0;           ///< published port on the Engine's machine; 0: none
  std::vector<std::string> volumes;     ///< names of mounted volumes
  std::vector<std::string> mountPaths;
  AgentCredential credential = AgentCredential::PublicKey;
  bool hasTls = false;           ///< kLabelAgentTls
  bool replacesRunning = false;  ///< kLabelRun
  bool startsHeld = false;       ///< its agent's settings demand that, at each start
  ProviderInstance instance;
  std::vector<std::pair<std::string, std::string>> mounted() const {  ///< volume and mount path
    std::vector<std::pair<std::string, std::string>> pairs;
    for (std::size_t i = 0; i < volumes.size(); ++i) pairs.emplace_back(volumes[i], mountPaths[i]);
    return pairs;
  }
  bool runs() const { return isAlive(status); }
};

enum class EndedBy { Itself, Stop };
/// `ended_by` matters for a container that has ended: after our stop any exit code is that of a stopped one.
ContainerDetails readContainer(const json::value& inspection, const DockerProviderConfig& config, EndedBy ended_by = EndedBy::Itself);

}  // namespace swarm::docker
