// An InstanceSpec in the Engine's terms: names, labels, bodies, and what is refused before anything is created. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "provider/docker/docker_context.h"

namespace swarm::docker {

inline constexpr std::int64_t kMib = 1024 * 1024;  ///< bytes

inline constexpr std::string_view kLabelSwarm = "swarm.id";
inline constexpr std::string_view kLabelInstance = "swarm.instance";
inline constexpr std::string_view kLabelOwner = "swarm.owner";
inline constexpr std::string_view kLabelName = "swarm.name";
inline constexpr std::string_view kLabelSpec = "swarm.spec";            ///< hash of the body that made the container
inline constexpr std::string_view kLabelResources = "swarm.resources";  ///< JSON: the requested ResourceConfig
inline constexpr std::string_view kLabelMetadata = "swarm.metadata";    ///< JSON
inline constexpr std::string_view kLabelNetwork = "swarm.network";      ///< the network's name, on containers
inline constexpr std::string_view kLabelPorts = "swarm.ports";          ///< JSON: the exposed ports as requested (an image exposes more)
inline constexpr std::string_view kLabelInternal = "swarm.internal";    ///< "true": no published ports
inline constexpr std::string_view kLabelRun = "swarm.run";              ///< on a replacement: whether the old one was running
inline constexpr std::string_view kLabelMount = "swarm.mount";          ///< on volumes: the mount path
inline constexpr std::string_view kLabelPersistent = "swarm.persistent";
/// Before the keys of users' own labels: other programs on the Engine's machine act on labels that they recognize.
inline constexpr std::string_view kUserLabel = "swarm.label.";
inline constexpr std::string_view kLabelAgent = "swarm.agent";  ///< on containers: kPublicKeyAgent; absent: its agent was given a secret
inline constexpr std::string_view kLabelAgentTls = "swarm.agent.tls";  ///< on containers: "true": its agent has a key and requires TLS
inline constexpr std::string_view kLabelHelper = "swarm.helper";       ///< on short-lived containers of ours, which are not an instance's
inline constexpr std::string_view kPublicKeyAgent = "public-key";

inline constexpr std::string_view kAsideSuffix = "-old";  ///< the container that a replacement has set aside
inline constexpr std::string_view kNextSuffix = "-new";   ///< the replacement that is not the current one yet

/// The Engine refuses less.
inline constexpr std::int64_t kMinimumMemoryMib = 6;

/// The Engine's filter for what carries this swarm's label, and `extra_label` ("name=value") if there is one.
json::object ownFilter(const DockerContext& context, std::string extra_label = {});

/// The name of a container's port in the Engine's API: "80/tcp".
std::string portKey(std::int64_t port);

/// The Docker host that it names, the first of the regions; empty: none.
std::string hostOf(const NetworkConfig& network);

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
  bool carried = false;  ///< of the previous container: it exists, perhaps without a label, and is mounted as it is
  bool mounted = false;  ///< by the previous container: it is the instance's own, also if its label has a former owner
};

/// "swarm-<name>-<end of the id>": the same for every call about this instance.
std::string containerName(const InstanceSpec& spec);
NetworkPlan planNetwork(const InstanceSpec& spec, const DockerProviderConfig& config, const std::string& swarm_id);
/// The requested storages, and the folders that the image declares as VOLUME: as volumes of the instance, with a name and labels,
/// and not as anonymous ones, which go with their container.
std::vector<VolumePlan> planVolumes(const InstanceSpec& spec, const std::vector<std::string>& declared = {});
/// What the previous container mounts besides the instance's storages is mounted by the next one, too.
void carryVolumes(const InstanceSpec& spec, const std::vector<std::pair<std::string, std::string>>& mounted,
                  std::vector<VolumePlan>& plans);

/// The name of an Engine without a configured one.
inline constexpr std::string_view kUnnamedHost = "local";

/// Whether images of this name are never pulled.
bool isLocalOnly(const std::string& image, const DockerProviderConfig& config);

/// Throws Error(Unprocessable) with the numbers and the field when the Engine's machine is too small, or Docker does not support it.
void checkResources(const ResourceConfig& resources, const engine::Facts& facts);
void checkStorage(const InstanceSpec& spec);
void checkNetwork(const InstanceSpec& spec, const DockerProviderConfig& config);
void checkHost(const InstanceSpec& spec, const DockerProviderConfig& config);
void checkSpec(const InstanceSpec& spec, const DockerContext& context);  ///< all of them; the Engine's facts are known
/// Runs a check; what it throws becomes one of the preview's problems.
template <typename Check>
void collectProblem(PlacementPreview& preview, Check check) {
  try {
    check();
  } catch (const Error& error) {
    preview.problems.push_back(error.message());
  }
}

/// `volume` is the Engine's volume of that name. Only the owner's own may be attached, and none by an instance that needs new ones. Throws
/// Error(Unprocessable | Conflict).
void checkTaken(const json::value& volume, const std::string& name, const InstanceSpec& spec, const std::string& swarm_id);

/// The body that creates a container, with its kLabelSpec.
json::object containerBody(const InstanceSpec& spec, const DockerProviderConfig& config, const std::string& swarm_id,
                           const NetworkPlan& network, const std::vector<VolumePlan>& volumes);
/// The members of HostConfig that an update of a container takes, too.
json::object resourceLimits(const ResourceConfig& resources);
json::object volumeBody(const InstanceSpec& spec, const VolumePlan& volume, const DockerProviderConfig& config,
                        const std::string& swarm_id);
json::object networkBody(const InstanceSpec& spec, const NetworkPlan& network, const DockerProviderConfig& config,
                         const std::string& swarm_id);

/// Makes the container join the network of that id and no other of its name. Outside kLabelSpec: a network that was pruned is created again
/// with another id.
void pinNetwork(json::object& body, const NetworkPlan& network, const std::string& id);
std::string pinnedNetwork(const json::value& body);  ///< that id

}  // namespace swarm::docker
