// An InstanceSpec as the Engine's words: names, labels, the container's body, and what is refused before anything is made. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "provider/docker/docker_config.h"
#include "provider/docker/engine/engine_client.h"

namespace swarm::docker {

inline constexpr std::int64_t kMib = 1024 * 1024;  ///< bytes

inline constexpr std::string_view kLabelSwarm = "swarm.id";
inline constexpr std::string_view kLabelInstance = "swarm.instance";
inline constexpr std::string_view kLabelOwner = "swarm.owner";
inline constexpr std::string_view kLabelName = "swarm.name";
inline constexpr std::string_view kLabelSpec = "swarm.spec";            ///< hash of the body that made the container
inline constexpr std::string_view kLabelResources = "swarm.resources";  ///< JSON: what the Engine can't tell back (cores, storage)
inline constexpr std::string_view kLabelMetadata = "swarm.metadata";    ///< JSON
inline constexpr std::string_view kLabelNetwork = "swarm.network";      ///< the network's name, on containers
inline constexpr std::string_view kLabelPorts = "swarm.ports";          ///< JSON: the exposed ports as asked for (an image exposes more)
inline constexpr std::string_view kLabelInternal = "swarm.internal";    ///< "true": no published ports
inline constexpr std::string_view kLabelRun = "swarm.run";              ///< on a replacement: whether the old one was running
inline constexpr std::string_view kLabelMount = "swarm.mount";          ///< on volumes: the mount path
inline constexpr std::string_view kLabelPersistent = "swarm.persistent";
/// Before the keys of people's own labels: other programs on the Engine's machine act on labels that they know.
inline constexpr std::string_view kUserLabel = "swarm.label.";
inline constexpr std::string_view kLabelAgent = "swarm.agent";  ///< on containers: kPublicKeyAgent; absent: its agent was given a secret
inline constexpr std::string_view kPublicKeyAgent = "public-key";

inline constexpr std::string_view kLabelImageVersion = "swarm.image.version";  ///< on images (images/workspace/versions.sh)
inline constexpr std::string_view kImageOfSecrets = "1";                       ///< whose agent knows no public keys

inline constexpr std::string_view kAsideSuffix = "-old";  ///< the container that a replacement stands aside
inline constexpr std::string_view kNextSuffix = "-new";   ///< the replacement that is not in force yet

/// 6 MiB: what the Engine itself refuses to go below.
inline constexpr std::int64_t kMinimumMemoryMib = 6;

/// As a port of a container is called in the Engine's API: "80/tcp".
std::string portKey(std::int64_t port);

/// A region is the name of a Docker host; an instance has one.
void writeHost(NetworkConfig& network, const std::vector<std::string>& regions);

struct NetworkPlan {
  std::string name;
  std::string driver = "bridge";
  bool internal = false;
  bool shared = false;  ///< the configured network of all instances: made when missing, never removed, any owner's
};

struct VolumePlan {
  std::string name;
  std::string mountPath;
  bool persistent = true;
  bool carried = false;  ///< of the container before: it is there, perhaps without a label, and is mounted as it is
};

/// "swarm-<name>-<end of the id>": the same for every call about this instance.
std::string containerName(const InstanceSpec& spec);
NetworkPlan planNetwork(const InstanceSpec& spec, const DockerProviderConfig& config, const std::string& swarm_id);
/// The storages that were asked for, and the folders that the image declares as VOLUME: as volumes of the instance, with a name and labels,
/// and not as anonymous ones, which go with their container.
std::vector<VolumePlan> planVolumes(const InstanceSpec& spec, const std::vector<std::string>& declared = {});
/// What the container before mounts besides the instance's storages is mounted by the next one, too.
void carryVolumes(const InstanceSpec& spec, const std::vector<std::pair<std::string, std::string>>& mounted,
                  std::vector<VolumePlan>& plans);

/// What the one Engine is called that nobody named.
inline constexpr std::string_view kUnnamedHost = "local";

/// Whether images of this name are never asked of a registry.
bool isLocalOnly(const std::string& image, const DockerProviderConfig& config);

/// Throws Error(Unprocessable) with the numbers and the field when the Engine's machine can't carry it, or Docker can't do it.
void checkResources(const ResourceConfig& resources, const EngineFacts& facts);
void checkStorage(const InstanceSpec& spec);
void checkNetwork(const InstanceSpec& spec, const EngineClient& engine);
void checkHost(const InstanceSpec& spec, const DockerProviderConfig& config);
void checkSpec(const InstanceSpec& spec, const EngineClient& engine);

/// `volume` is what the Engine has of that name. Only the owner's own may be attached, and none by an instance that needs new ones. Throws
/// Error(Unprocessable | Conflict).
void checkTaken(const json::value& volume, const std::string& name, const InstanceSpec& spec, const std::string& swarm_id);

/// The body of POST /containers/create, with its kLabelSpec.
json::object containerBody(const InstanceSpec& spec, const DockerProviderConfig& config, const std::string& swarm_id,
                           const NetworkPlan& network, const std::vector<VolumePlan>& volumes);
/// The members of HostConfig that POST /containers/{id}/update takes, too.
json::object resourceLimits(const ResourceConfig& resources);
json::object volumeBody(const InstanceSpec& spec, const VolumePlan& volume, const DockerProviderConfig& config,
                        const std::string& swarm_id);
json::object networkBody(const InstanceSpec& spec, const NetworkPlan& network, const DockerProviderConfig& config,
                         const std::string& swarm_id);

/// What an image says of the agent in it, from the Engine's inspection.
struct ImageAgent {
  bool isEntryPoint = false;                                ///< it is the first process of a container
  AgentCredential credential = AgentCredential::PublicKey;  ///< what it can be given
};
/// What is known of an image.
struct ImageFacts {
  std::vector<std::string> volumes;  ///< the folders that it declares as VOLUME
  ImageAgent agent;
  std::string id;
};
ImageAgent readImageAgent(const json::value& inspection);
/// Adds to a container's body what the agent in its image needs. Outside kLabelSpec: the same spec with the same agent's settings is the
/// same container, whatever the image.
void fitToAgent(json::object& body, const InstanceSpec& spec, const ImageAgent& agent);
/// Has the container join the network of that id and no other of its name. Outside kLabelSpec: a network that was pruned is made again with
/// another id.
void pinNetwork(json::object& body, const NetworkPlan& network, const std::string& id);
std::string pinnedNetwork(const json::value& body);  ///< that id
/// The archive that puts the agent's file in its place (kConfigPath, root 0400).
std::string agentFileArchive(const Secret& agent_file);

}  // namespace swarm::docker
