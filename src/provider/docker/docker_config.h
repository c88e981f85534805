// What an administrator configures about the Docker provider ([docker] and [common] of swarm.toml), apart from the implementation.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/transport/endpoint.h"
#include "model/types/instance_config.h"
#include "provider/provider_setup.h"

namespace swarm {

using DockerTlsConfig = engine::Tls;

/// Which workspaces share a network.
enum class Isolation { owner, instance };
BOOST_DESCRIBE_ENUM(Isolation, owner, instance)

/// Which connections to agents have TLS: those to Engines on other machines, where the agent supports it; or all of them, and an agent
/// without TLS is refused.
enum class AgentTls { remote, required };
BOOST_DESCRIBE_ENUM(AgentTls, remote, required)

/// Where the Engine is, and what the provider does there. The described members are keys of [docker] and [docker.hosts.NAME]; README.md
/// explains each to administrators.
struct DockerProviderConfig : engine::Endpoint {
  std::string name;         ///< of this Engine among several, as instances' region; empty: it has none
  std::string networkName;  ///< empty: as `isolation` says; a name: every instance joins this one
  Isolation isolation = Isolation::owner;
  std::string volumeDriver = "local";  ///< for the volumes that we make
  std::map<std::string, std::string> volumeDriverOptions;
  std::string publishAddress = "127.0.0.1";       ///< where exposedPorts are published on the Engine's machine
  std::string agentPublishAddress = "127.0.0.1";  ///< where the agent's port is; a remote Engine needs one that we can reach
  AgentTls agentTls = AgentTls::remote;

  /// Repositories that exist only where they were built: never pulled, so that a stranger's image of that name cannot take their place.
  std::vector<std::string> localImages = {"swarm-workspace"};
  /// Patterns ("registry.example.com/team/*") of the images that users may use beside the workspace image.
  std::vector<std::string> allowedImages;
  EgressPolicy egress = EgressPolicy::open;  ///< of all instances
  std::vector<std::string> egressAllow;      ///< what it allows nevertheless, as in EgressConfig::allow
  bool instancesMayLoosenEgress = false;     ///< an instance's own policy replaces this one; otherwise both apply
  bool noNewPrivileges = false;              ///< of all instances, whatever they request
  bool readOnlyRoot = false;                 ///< of all instances
  std::filesystem::path seccompProfile;      ///< of all instances; empty: the Engine's own
  std::string seccompText{};                 ///< its contents, as the Engine takes them
  std::string workspaceImage;                ///< of new workspaces, for validation; empty: none is checked
  std::map<std::string, std::string> tags;   ///< labels on all that is made
  std::int64_t maxInstancesPerUser = 0;      ///< reported only; 0: none
  bool looksOnly = false;                    ///< validate() makes no container
  bool isCandidate = false;                  ///< came in a request: responses of its endpoint are not passed on
};
BOOST_DESCRIBE_STRUCT(DockerProviderConfig, (),
                      (networkName, volumeDriver, volumeDriverOptions, publishAddress, agentPublishAddress, localImages, allowedImages,
                       egressAllow, instancesMayLoosenEgress, noNewPrivileges, readOnlyRoot, seccompProfile))

/// `swarm_id` labels everything that is made, so that two swarms can share one Engine. Throws Error(InvalidArgument) for a wrong
/// configuration (an unreadable TLS file, say), never for an unreachable Engine.
ProviderPtr makeDockerProvider(DockerProviderConfig config, std::string swarm_id);

/// Several Engines as one provider, the main one first: it takes the instances whose configuration names no host. Names are DNS labels and
/// differ; a main Engine without a name is "local". A single Engine is the plain provider above.
ProviderPtr makeDockerProvider(std::vector<DockerProviderConfig> engines, std::string swarm_id);

ProviderSetupPtr makeDockerSetup();

}  // namespace swarm
