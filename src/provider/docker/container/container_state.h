// What the Engine tells of a container (GET /containers/{id}/json) as a ProviderInstance. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <set>
#include <string>
#include <vector>

#include "provider/docker/engine/engine_client.h"

namespace swarm::docker {

/// The part of an inspection that the provider works with.
struct ContainerDetails {
  std::string id;
  std::string name;   ///< without the leading slash
  std::string state;  ///< the Engine's word: created, running, paused, restarting, removing, exited, dead
  std::string specHash;
  std::string imageName;  ///< as it was asked for
  std::string network;
  std::string networkId;  ///< of the one that it joined, or is to join at its start
  bool internal = false;
  bool connected = true;                ///< to its network; not when someone disconnected it at the Engine
  std::string networkAddress;           ///< of the container, empty when it does not run
  std::set<std::int64_t> exposedPorts;  ///< as asked for
  std::int64_t agentPort = 0;           ///< published port on the Engine's machine; 0: none
  std::vector<std::string> volumes;     ///< names of mounted volumes
  std::vector<std::string> mountPaths;
  std::int64_t exitCode = 0;
  AgentCredential credential = AgentCredential::PublicKey;
  json::value runLabel;  ///< null, "true" or "false" (kLabelRun)
  ProviderInstance instance;
  std::vector<std::pair<std::string, std::string>> mounted() const {  ///< volume and mount path
    std::vector<std::pair<std::string, std::string>> pairs;
    for (std::size_t i = 0; i < volumes.size(); ++i) pairs.emplace_back(volumes[i], mountPaths[i]);
    return pairs;
  }
  bool runs() const { return state == "running" || state == "paused" || state == "restarting"; }
};

enum class EndedBy { Itself, Stop };
/// `ended_by` matters for a container that has ended: after our stop any exit code is that of a stopped one.
ContainerDetails readContainer(const json::value& inspection, const DockerProviderConfig& config, bool engine_is_local,
                               EndedBy ended_by = EndedBy::Itself);

/// The Engine's zero time and unreadable texts give the epoch.
SystemTime readTime(const std::string& text);

}  // namespace swarm::docker
