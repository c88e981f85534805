#include "provider/flyio/spec/machine_spec.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "base/id.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "model/rules/validation.h"
#include "protocol/agent.h"
#include "provider/kept_resources.h"

namespace swarm::flyio {
namespace {

/// One browser would exceed the proxy's default of 20 connections.
constexpr std::int64_t kSoftConnections = 2'000;
constexpr std::int64_t kHardConnections = 10'000;

void checkMountPath(const std::string& path, const std::string& pointer, std::set<std::string>& seen) {
  if (path.size() < 2 || !isNormalPath(path)) throw unprocessable(pointer, format("\"{}\" is not an absolute path for a volume.", path));
  for (std::string_view kept : {"/proc", "/sys", "/dev", "/etc", "/.fly", "/data"}) {
    if (path == kept || path.starts_with(std::string(kept) + "/")) {
      throw unprocessable(pointer, format("A volume cannot be mounted at {}: the system uses {}.", path, kept));
    }
  }
  if (!seen.insert(path).second) throw unprocessable(pointer, format("Two volumes have the mount path {}.", path));
}

void planStorage(const InstanceSpec& spec, InstancePlan& plan) {
  std::set<std::string> paths, names;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < spec.config.storage.size(); ++i) {
    const StorageConfig& storage = spec.config.storage[i];
    std::string pointer = format("/storage/{}", i);
    checkMountPath(storage.mountPath, pointer + "/mountPath", paths);
    if (!storage.volumeName.empty()) {
      if (!isVolumeName(storage.volumeName)) {
        throw unprocessable(pointer + "/volumeName",
                            format("\"{}\" is not a volume name: use two or more letters, digits, - _ or .", storage.volumeName));
      }
      plan.requestedVolumes.push_back(storage.volumeName);
    }
    StorageEntry entry{folderName(spec.placeId, storage), storage.mountPath, storage.persistent, spec.placeId, spec.owner};
    if (!names.insert(entry.name).second)
      throw unprocessable(pointer + "/volumeName", format("The volume {} is requested twice.", entry.name));
    plan.storage.push_back(std::move(entry));
    sum += std::max<std::int64_t>(1, storage.size);
  }
  if (plan.storage.empty()) return;
  // The sizes of the storages count; a disk size that was not given does not enlarge them.
  static const std::int64_t kNotGiven = ResourceConfig{}.storage.size;
  std::int64_t disk = spec.config.resources.storage.size;
  plan.volumeGb = disk == kNotGiven ? sum : std::max(sum, disk);
  if (plan.volumeGb > kLargestVolumeGb) {
    throw unprocessable("/storage",
                        format("{} GiB of storage were requested; a volume on Fly has at most {} GiB.", plan.volumeGb, kLargestVolumeGb));
  }
}

/// The controller's settings for the agent, and what a Machine has no option for: the binds of the storages and the size of /dev/shm.
std::string agentSettings(const std::string& settings, const InstancePlan& plan, const ResourceConfig& resources) {
  json::object object;
  if (!settings.empty()) {
    boost::system::error_code error;
    json::value parsed = json::parse(settings, error);
    if (error || !parsed.is_object()) throw Error(ErrorCode::InvalidArgument, "The agent's settings are not a JSON object.");
    object = std::move(parsed.as_object());
  }
  json::array binds;
  for (const StorageEntry& entry : plan.storage) {
    binds.push_back(json::object{{"from", format("{}/volumes/{}", kVolumeMount, entry.name)}, {"to", entry.mountPath}});
  }
  if (!binds.empty()) object["binds"] = std::move(binds);
  if (resources.shmSize > 0) object["shmSize"] = resources.shmSize;
  return json::serialize(object);
}

json::object planMetadata(const InstanceSpec& spec, const FlyIOProviderConfig& config, const std::string& swarm_id,
                          const InstancePlan& plan) {
  json::object metadata;
  for (const auto& [key, value] : config.tags) metadata[key] = value;
  for (const auto& [key, value] : spec.config.labels) metadata[key] = value;
  // Ours come last: they decide about ownership.
  metadata.erase(kMetaRole);
  metadata.erase(kMetaReads);
  metadata.erase(kMetaReplaces);
  metadata[kMetaSwarm] = swarm_id;
  metadata[kMetaInstance] = spec.placeId.str();
  metadata[kMetaOwner] = spec.owner;
  metadata[kMetaName] = spec.name;
  metadata[kMetaPrivate] = plan.privateOnly ? "true" : "false";
  metadata[kMetaStorage] = writeStorage(plan.storage);
  const std::vector<std::int64_t>& ports = spec.config.network.exposedPorts;
  metadata[kMetaPorts] = json::serialize(json::array(ports.begin(), ports.end()));
  const std::vector<std::string>& regions = spec.config.network.regions;
  metadata[kMetaRegions] = json::serialize(json::array(regions.begin(), regions.end()));
  ResourceConfig resources = spec.config.resources;
  if (plan.volumeGb > 0) resources.storage.size = plan.volumeGb;
  metadata[kMetaResources] = keptText(resources);
  return metadata;
}

json::object planConfig(const InstanceSpec& spec, const FlyIOProviderConfig& config, const InstancePlan& plan, AgentCredential credential) {
  json::object made{{"image", imageAtFly(spec.config.image, config)}, {"guest", toJson(plan.guest)}};
  json::object env;
  for (const auto& [key, value] : spec.config.env) env[key] = value;
  env.erase(agent::kSettingsVariable);
  json::array files;
  if (credential == AgentCredential::PublicKey) {
    env[agent::kSettingsVariable] = agentSettings(spec.agentBoot, plan, spec.config.resources);
  } else {
    files.push_back(json::object{{"guest_path", agent::kConfigPath}, {"secret_name", kAgentSecret}, {"mode", 0400}});
  }
  made["env"] = std::move(env);
  if (!spec.config.command.empty()) {
    made["init"] = json::object{{"cmd", json::array(spec.config.command.begin(), spec.config.command.end())}};
  }
  made["files"] = std::move(files);  // also when empty: a change removes the file of an older agent
  made["services"] = servicesFor(spec.config.network.exposedPorts);
  // The controller restarts instances: an automatic restart would hide crashes from it.
  made["restart"] = json::object{{"policy", "no"}};
  made["stop_config"] = json::object{{"signal", "SIGTERM"}, {"timeout", "10s"}};
  made["auto_destroy"] = false;
  return made;
}

json::object service(std::int64_t internal, json::array ports) {
  json::object concurrency{{"type", "connections"}, {"soft_limit", kSoftConnections}, {"hard_limit", kHardConnections}};
  // The proxy considers only its own connections and would stop a busy Machine (§12, pitfall 7).
  return {{"protocol", "tcp"}, {"internal_port", internal}, {"ports", std::move(ports)},
          {"autostop", "off"}, {"autostart", false},        {"concurrency", std::move(concurrency)}};
}

bool isWorkspaceImage(const std::string& image, const FlyIOProviderConfig& config) {
  return image.empty() || image == config.localWorkspaceImage || image + ":latest" == config.localWorkspaceImage;
}

}  // namespace

std::string imageAtFly(const std::string& image, const FlyIOProviderConfig& config) {
  if (!isWorkspaceImage(image, config)) return image;
  if (!config.workspaceImage.empty()) return config.workspaceImage;
  throw Error(
      ErrorCode::Unprocessable,
      format(
          "The workspace image {} is on this machine only, so Fly cannot pull it. Push it once (docker tag {} registry.fly.io/APP:TAG, fly "
          "auth docker, docker push registry.fly.io/APP:TAG) and set workspaceImage of [flyio] to that name.",
          config.localWorkspaceImage, config.localWorkspaceImage))
      .withField("/image", "is not in a registry from which Fly can pull");
}

void checkNetwork(const NetworkConfig& network) {
  for (std::size_t i = 0; i < network.exposedPorts.size(); ++i) {
    std::int64_t port = network.exposedPorts[i];
    std::string pointer = format("/network/exposedPorts/{}", i);
    if (port < 1 || port > 65535) throw unprocessable(pointer, format("{} is not a port: use 1 to 65535.", port));
    if (port == agent::kPort) throw unprocessable(pointer, format("Port {} is the agent's. Choose another.", port));
    for (std::size_t j = 0; j < i; ++j) {
      if (externalPort(network.exposedPorts[j]) == externalPort(port)) {
        throw unprocessable(pointer, format("Ports {} and {} would have the same external port.", network.exposedPorts[j], port));
      }
    }
  }
  if (network.internalNetwork) {
    throw unprocessable("/network/internalNetwork",
                        "Machines on Fly always reach the internet. Use the Docker provider for an internal network.");
  }
  if (network.egress && network.egress->policy != EgressPolicy::open) {
    throw unprocessable(
        "/network/egress/policy",
        "Fly's network policies name ports and no networks, and apply from the next boot on: this provider cannot limit what "
        "a workspace reaches. Use the Docker provider, or the policy open.");
  }
}

void checkSecurity(const SecurityConfig& security) {
  for (auto [is_wanted, member] :
       {std::pair(security.noNewPrivileges, "noNewPrivileges"), std::pair(security.readOnlyRoot, "readOnlyRoot")})
    if (is_wanted)
      throw unprocessable(format("/security/{}", member),
                          format("Fly.io has no option for {}: each Machine is a virtual machine of its own. Set it to false, or use the "
                                 "Docker provider.",
                                 member));
}

void checkImageChoice(const std::string& image, ImageChoice choice, const FlyIOProviderConfig& config) {
  const bool is_listed = isWorkspaceImage(image, config) || image == config.workspaceImage || matchesAny(image, config.allowedImages);
  if (is_listed) return;
  if (auto refusal = refusalOfUnlisted(image, choice)) throw std::move(*refusal);
}

std::int64_t externalPort(std::int64_t port) { return port == 80 || port == 443 ? 10000 + port : port; }

json::array servicesFor(const std::vector<std::int64_t>& exposed_ports) {
  json::array services;
  services.push_back(service(agent::kPort, {json::object{{"port", 443}, {"handlers", json::array{"tls", "http"}}},
                                            json::object{{"port", 80}, {"handlers", json::array{"http"}}}}));
  for (std::int64_t port : exposed_ports) {
    services.push_back(service(port, {json::object{{"port", externalPort(port)}, {"handlers", json::array{"tls", "http"}}}}));
  }
  return services;
}

AgentCredential credentialOf(const Machine& machine) {
  return machine.metadata(kMetaAgent) == kPublicKeyAgent ? AgentCredential::PublicKey : AgentCredential::Secret;
}

std::vector<std::string> regionsFor(const NetworkConfig& network, const FlyIOProviderConfig& config) {
  if (!network.regions.empty()) return network.regions;
  if (!config.regions.empty() || config.defaultRegion.empty()) return config.regions;
  return {config.defaultRegion};
}

InstancePlan planInstance(const InstanceSpec& spec, const FlyIOProviderConfig& config, const std::string& swarm_id,
                          AgentCredential credential) {
  InstancePlan plan;
  plan.placeId = spec.placeId;
  plan.owner = spec.owner;
  plan.newVolumes = spec.newVolumes;
  plan.volumeOwner = spec.volumeOwner;
  plan.app = appName(config, swarm_id, spec.placeId);
  plan.guest = roundUp(spec.config.resources);
  checkNetwork(spec.config.network);
  checkSecurity(spec.config.security);
  planStorage(spec, plan);
  const std::optional<FlyNetworkConfig>& network = spec.config.network.flyio;
  plan.privateOnly = !config.publicAddresses || (network && network->privateNetwork);
  plan.ipv6 = !network || network->ipv6;
  plan.regions = regionsFor(spec.config.network, config);
  if (credential == AgentCredential::Secret) plan.agentFile = Secret(agentSettings(spec.agentFile.reveal(), plan, spec.config.resources));
  plan.config = planConfig(spec, config, plan, credential);
  json::object metadata = planMetadata(spec, config, swarm_id, plan);
  metadata.erase(kMetaAgent);
  if (credential == AgentCredential::PublicKey) metadata[kMetaAgent] = kPublicKeyAgent;
  plan.hash = toHex(sha256(json::serialize(plan.config) + json::serialize(metadata) + plan.agentFile.reveal())).substr(0, 16);
  metadata[kMetaSpec] = plan.hash;
  plan.config["metadata"] = std::move(metadata);
  return plan;
}

void addToRecord(InstancePlan& plan, const std::vector<StorageEntry>& present) {
  for (const StorageEntry& entry : present) {
    auto same = std::find_if(plan.storage.begin(), plan.storage.end(), [&](const StorageEntry& own) { return own.name == entry.name; });
    if (same != plan.storage.end()) {
      same->placeId = entry.placeId;
    } else if (entry.persistent) {
      plan.storage.push_back(entry);
      plan.storage.back().isMounted = false;
    }
  }
  plan.config["metadata"].as_object()[kMetaStorage] = writeStorage(plan.storage);
}

void noteSize(InstancePlan& plan, std::int64_t volume_gb) {
  json::object& metadata = plan.config["metadata"].as_object();
  ResourceConfig kept = readKeptResources(stringAt(plan.config.at("metadata"), kMetaResources));
  kept.storage.size = volume_gb;
  metadata[kMetaResources] = keptText(kept);
}

InstancePlan planReader(const SnapshotReader& reader, const FlyIOProviderConfig& config, const std::string& swarm_id,
                        AgentCredential credential) {
  InstanceSpec spec = reader.of;
  spec.config.network.exposedPorts.clear();  // they lead to the instance
  // Folders and binds are the instance's: the copy has the same layout.
  InstancePlan plan = planInstance(spec, config, swarm_id, credential);
  plan.placeId = reader.placeId;
  json::object& metadata = plan.config["metadata"].as_object();
  metadata[kMetaInstance] = reader.placeId.str();
  metadata[kMetaRole] = kReaderRole;
  metadata[kMetaReads] = reader.of.placeId.str();
  metadata.erase(kMetaStorage);  // its volume holds no storage of an instance
  for (json::value& file : plan.config["files"].as_array()) file.as_object()["secret_name"] = readerSecret(reader.placeId);
  return plan;
}

}  // namespace swarm::flyio
