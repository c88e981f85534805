#include "provider/docker/spec/container_spec.h"

#include <boost/json/serialize.hpp>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "engine/format/tar.h"
#include "protocol/agent.h"
#include "provider/docker/spec/hardening.h"
#include "provider/kept_resources.h"

namespace swarm::docker {
namespace {

/// Letters, digits, '_' and '.' stay; the rest becomes '-'. Docker's names begin with a letter or digit.
std::string slug(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    if (plain || (!out.empty() && out.back() != '-')) out += plain ? c : '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.substr(0, 40);
}

constexpr std::size_t kMaxDeclared = 16;  ///< volumes that an image may declare; further ones are anonymous

std::string shortHash(std::string_view text) { return toHex(sha256(text)).substr(0, 8); }

std::string volumeName(const InstanceSpec& spec, std::string_view path) {
  return format("swarm-{}-{}-{}", spec.placeId, slug(path), shortHash(path));
}

bool samePath(std::string_view a, std::string_view b) {
  auto plain = [](std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path;
  };
  return plain(a) == plain(b);
}

Error unprocessable(std::string pointer, std::string message) {
  return Error(ErrorCode::Unprocessable, message).withField(std::move(pointer), message);
}

std::int64_t milliCpu(const CpuConfig& cpu) { return cpu.limit > 0 ? cpu.limit : std::llround(cpu.cores * 1000); }

void addTags(json::object& labels, const DockerProviderConfig& config) {
  for (const auto& [key, value] : config.tags) labels[key] = value;
}

json::object baseLabels(const InstanceSpec& spec, const DockerProviderConfig& config, const std::string& swarm_id) {
  json::object labels;
  addTags(labels, config);
  labels[kLabelSwarm] = swarm_id;
  labels[kLabelOwner] = spec.owner;
  return labels;
}

json::object containerLabels(const InstanceSpec& spec, const DockerProviderConfig& config, const std::string& swarm_id,
                             const NetworkPlan& network) {
  json::object labels;
  addTags(labels, config);
  for (const auto& [key, value] : spec.config.labels) {
    auto tag = config.tags.find(key);  // the administrator's are among them
    if (tag == config.tags.end() || tag->second != value) labels[std::string(kUserLabel) + key] = value;
  }
  // Ours come last: they decide who owns what.
  labels[kLabelSwarm] = swarm_id;
  labels[kLabelInstance] = spec.placeId.str();
  labels[kLabelOwner] = spec.owner;
  labels[kLabelName] = spec.name;
  labels[kLabelNetwork] = network.name;
  labels[kLabelInternal] = network.internal ? "true" : "false";
  const std::vector<std::int64_t>& ports = spec.config.network.exposedPorts;
  labels[kLabelPorts] = json::serialize(json::array(ports.begin(), ports.end()));
  labels[kLabelResources] = keptText(spec.config.resources);
  if (!spec.config.metadata.empty()) labels[kLabelMetadata] = json::serialize(spec.config.metadata);
  return labels;
}

json::object hostConfig(const InstanceSpec& spec, const DockerProviderConfig& config, const std::string& swarm_id,
                        const NetworkPlan& network, const std::vector<VolumePlan>& volumes) {
  json::object host = resourceLimits(spec.config.resources);
  if (std::int64_t shm = spec.config.resources.shmSize; shm > 0) host["ShmSize"] = shm * kMib;
  host["NetworkMode"] = network.name;
  // Intent is the controller's: a second component that restarts containers would hide crashes from it (README.md, "Who restarts what").
  host["RestartPolicy"] = json::object{{"Name", "no"}};
  host["Init"] = false;  // the agent is PID 1 and reaps
  host["LogConfig"] = json::object{{"Type", "json-file"}, {"Config", json::object{{"max-size", "10m"}, {"max-file", "3"}}}};
  harden(host, spec.config, config, volumes);
  if (!network.internal) {
    json::object bindings;
    for (std::int64_t port : spec.config.network.exposedPorts) {
      bindings[portKey(port)] = json::array{json::object{{"HostIp", config.publishAddress}, {"HostPort", ""}}};
    }
    bindings[portKey(agent::kPort)] = json::array{json::object{{"HostIp", config.agentPublishAddress}, {"HostPort", ""}}};
    host["PortBindings"] = std::move(bindings);
  }
  json::array mounts;
  for (const VolumePlan& volume : volumes) {
    // Labels here, too: the Engine creates a volume that is missing, and without a label that one would not be found.
    json::object made = volumeBody(spec, volume, config, swarm_id);
    json::object options{{"Labels", made.at("Labels")},
                         {"DriverConfig", json::object{{"Name", made.at("Driver")}, {"Options", made.at("DriverOpts")}}}};
    mounts.push_back(
        json::object{{"Type", "volume"}, {"Source", volume.name}, {"Target", volume.mountPath}, {"VolumeOptions", std::move(options)}});
  }
  host["Mounts"] = std::move(mounts);
  return host;
}

}  // namespace

std::string hostOf(const NetworkConfig& network) { return network.regions.empty() ? std::string() : network.regions.front(); }

json::object ownFilter(const DockerContext& context, std::string extra_label) {
  json::array labels{json::string(format("{}={}", kLabelSwarm, context.swarmId))};
  if (!extra_label.empty()) labels.push_back(json::string(extra_label));
  return {{"label", std::move(labels)}};
}

std::string portKey(std::int64_t port) { return format("{}/tcp", port); }

std::string containerName(const InstanceSpec& spec) {
  const std::string& id = spec.placeId.str();
  return format("swarm-{}-{}", slug(spec.name), id.size() > 8 ? id.substr(id.size() - 8) : id);
}

NetworkPlan planNetwork(const InstanceSpec& spec, const DockerProviderConfig& config, const std::string& swarm_id) {
  NetworkPlan plan;
  plan.internal = spec.config.network.internalNetwork;
  if (spec.config.network.docker && !spec.config.network.docker->networkDriver.empty()) {
    plan.driver = spec.config.network.docker->networkDriver;
  }
  if (spec.config.network.docker && !spec.config.network.docker->networkName.empty()) {
    plan.name = spec.config.network.docker->networkName;
    plan.shared = plan.name == config.networkName;
    return plan;
  }
  if (!config.networkName.empty() && !plan.internal) {
    plan.name = config.networkName;
    plan.shared = true;
    return plan;
  }
  const bool is_own = config.isolation == Isolation::instance;
  const std::string& sharer = is_own ? spec.placeId.str() : spec.owner;
  plan.name =
      format("swarm-{}-{}{}", slug(is_own ? spec.name : spec.owner), shortHash(swarm_id + "/" + sharer), plan.internal ? "-internal" : "");
  return plan;
}

std::vector<VolumePlan> planVolumes(const InstanceSpec& spec, const std::vector<std::string>& declared) {
  std::vector<VolumePlan> plans;
  for (const StorageConfig& storage : spec.config.storage) {
    VolumePlan plan{storage.volumeName, storage.mountPath, storage.persistent};
    if (plan.name.empty()) plan.name = volumeName(spec, plan.mountPath);
    plans.push_back(std::move(plan));
  }
  for (const std::string& path : declared) {
    bool is_taken = std::ranges::any_of(plans, [&](const VolumePlan& plan) { return samePath(plan.mountPath, path); });
    if (!is_taken && plans.size() < spec.config.storage.size() + kMaxDeclared) plans.push_back({volumeName(spec, path), path});
  }
  return plans;
}

void carryVolumes(const InstanceSpec& spec, const std::vector<std::pair<std::string, std::string>>& mounted,
                  std::vector<VolumePlan>& plans) {
  std::vector<VolumePlan> carried;
  for (const auto& [name, path] : mounted) {
    auto plan = std::ranges::find_if(plans, [&](const VolumePlan& one) { return samePath(one.mountPath, path); });
    bool is_storage = plan != plans.end() && std::distance(plans.begin(), plan) < std::ssize(spec.config.storage);
    if (plan != plans.end() && plan->name == name) plan->mounted = true;
    if (is_storage || (plan != plans.end() && plan->name == name)) continue;
    if (plan != plans.end()) plans.erase(plan);
    carried.push_back({name, path, true, true});
  }
  std::ranges::sort(carried, {}, &VolumePlan::mountPath);  // the Engine lists mounts in any order
  plans.insert(plans.end(), carried.begin(), carried.end());
}

void checkResources(const ResourceConfig& resources, const engine::Facts& facts) {
  std::int64_t milli = milliCpu(resources.cpu);
  std::string cpu_pointer = resources.cpu.limit > 0 ? "/resources/cpu/limit" : "/resources/cpu/cores";
  if (milli < 10) throw unprocessable(cpu_pointer, format("{} millicores are too few: the minimum is 10.", milli));
  if (facts.cpus > 0 && milli > std::int64_t{1000} * facts.cpus) {
    throw unprocessable(cpu_pointer, format("{:g} cores were requested; the Docker Engine's machine has {}.",
                                            static_cast<double>(milli) / 1000, facts.cpus));
  }
  const MemoryConfig& memory = resources.memory;
  if (memory.max < kMinimumMemoryMib) {
    throw unprocessable("/resources/memory/max",
                        format("{} MiB of memory are below the Docker Engine's minimum of {} MiB.", memory.max, kMinimumMemoryMib));
  }
  if (facts.memoryBytes > 0 && memory.max > facts.memoryBytes / kMib) {
    throw unprocessable("/resources/memory/max", format("{} MiB of memory were requested; the Docker Engine's machine has {} MiB.",
                                                        memory.max, facts.memoryBytes / kMib));
  }
  if (memory.min > memory.max) {
    throw unprocessable("/resources/memory/min",
                        format("The memory kept ({} MiB) is more than the memory allowed ({} MiB).", memory.min, memory.max));
  }
  if (memory.min != 0 && memory.min < kMinimumMemoryMib) {
    throw unprocessable("/resources/memory/min",
                        format("{} MiB of memory are below the Docker Engine's minimum of {} MiB.", memory.min, kMinimumMemoryMib));
  }
  if (resources.pids < 1) throw unprocessable("/resources/pids", "At least one process must be allowed.");
}

void checkStorage(const InstanceSpec& spec) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < spec.config.storage.size(); ++i) {
    const StorageConfig& storage = spec.config.storage[i];
    std::string pointer = format("/storage/{}", i);
    const std::string& path = storage.mountPath;
    bool sane = path.size() > 1 && path[0] == '/' && path.find("/../") == std::string::npos && !path.ends_with("/..") &&
                path.find('\0') == std::string::npos;
    if (!sane) throw unprocessable(pointer + "/mountPath", format("\"{}\" is not an absolute path to mount a volume at.", path));
    for (std::string_view kept : {"/proc", "/sys", "/dev", "/etc"}) {
      if (path == kept || path.starts_with(std::string(kept) + "/")) {
        throw unprocessable(pointer + "/mountPath", format("A volume cannot be mounted at {}: the system needs {}.", path, kept));
      }
    }
    if (!seen.insert(path).second) throw unprocessable(pointer + "/mountPath", format("Two volumes cannot be mounted at {}.", path));
    if (!storage.volumeName.empty() && (slug(storage.volumeName).size() < 2 || storage.volumeName.find('/') != std::string::npos)) {
      throw unprocessable(pointer + "/volumeName",
                          format("\"{}\" is not a name for a volume: use two or more letters, digits, - _ or .", storage.volumeName));
    }
  }
}

bool isLocalOnly(const std::string& image, const DockerProviderConfig& config) {
  std::string repository = image.substr(0, image.find_first_of(":@"));
  return std::find(config.localImages.begin(), config.localImages.end(), repository) != config.localImages.end();
}

void checkHost(const InstanceSpec& spec, const DockerProviderConfig& config) {
  std::string name = config.name.empty() ? std::string(kUnnamedHost) : config.name;
  std::string requested = hostOf(spec.config.network);
  if (requested.empty() || requested == name) return;
  throw unprocessable("/network/regions", format("There is no Docker host \"{}\" here; there is {}.", requested, name));
}

void checkNetwork(const InstanceSpec& spec, const DockerProviderConfig& config) {
  const NetworkConfig& network = spec.config.network;
  for (std::size_t i = 0; i < network.exposedPorts.size(); ++i) {
    std::int64_t port = network.exposedPorts[i];
    std::string pointer = format("/network/exposedPorts/{}", i);
    if (port < 1 || port > 65535) throw unprocessable(pointer, format("{} is not a port: 1 to 65535.", port));
    if (port == agent::kPort) throw unprocessable(pointer, format("Port {} is the agent's; choose another.", port));
  }
  if (network.internalNetwork && !engine::isLocal(config)) {
    throw unprocessable(
        "/network/internalNetwork",
        "An internal network publishes no port, so that a workspace on it can be reached on a local Docker Engine only; this "
        "one is remote.");
  }
  if (!network.docker) return;
  const std::string& name = network.docker->networkName;
  if (name == "host" || name == "none" || name == "default" || name == "bridge" || name.starts_with("container:")) {
    throw unprocessable("/network/docker/networkName", format("A workspace cannot join the network \"{}\": it is not isolated.", name));
  }
  bool is_id = name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;  // the Engine reads it as one
  if (!name.empty() && (is_id || slug(name).size() < 2 || name.find('/') != std::string::npos)) {
    throw unprocessable("/network/docker/networkName", format("\"{}\" is not a name for a network.", name));
  }
}

void checkTaken(const json::value& volume, const std::string& name, const InstanceSpec& spec, const std::string& swarm_id) {
  const VolumeInfo info{.name = name, .placeId = PlaceId(labelOf(volume, kLabelInstance)), .owner = labelOf(volume, kLabelOwner)};
  if (labelOf(volume, kLabelSwarm) != swarm_id || spec.volumeOwner(info) != spec.owner) {
    throw Error(
        ErrorCode::Unprocessable,
        format("The volume {} exists already and does not belong to {} in this swarm. Choose another volumeName.", name, spec.owner))
        .withField("/storage", "the volume belongs to another user");
  }
  if (spec.newVolumes && labelOf(volume, kLabelInstance) != spec.placeId.str()) {
    throw Error(
        ErrorCode::Conflict,
        format("The volume {} exists already, and its files would be replaced. Delete it first (swarm volumes delete {}).", name, name))
        .withField("/storage", "the volume exists already");
  }
}

void checkSpec(const InstanceSpec& spec, const DockerContext& context) {
  checkResources(spec.config.resources, context.engine.facts());
  checkStorage(spec);
  checkHost(spec, context.config);
  checkNetwork(spec, context.config);
}

json::object resourceLimits(const ResourceConfig& resources) {
  std::int64_t shares = std::clamp<std::int64_t>(std::llround(resources.cpu.cores * 1024), 2, 262144);
  json::object limits{{"NanoCpus", milliCpu(resources.cpu) * 1'000'000},
                      {"CpuShares", shares},
                      {"Memory", resources.memory.max * kMib},
                      {"MemorySwap", resources.memory.max * kMib},  // the same: no swap
                      {"PidsLimit", resources.pids}};
  if (resources.memory.min > 0) limits["MemoryReservation"] = resources.memory.min * kMib;
  return limits;
}

json::object containerBody(const InstanceSpec& spec, const DockerProviderConfig& config, const std::string& swarm_id,
                           const NetworkPlan& network, const std::vector<VolumePlan>& volumes) {
  json::object body;
  body["Hostname"] = spec.name.substr(0, 63);
  body["Image"] = spec.config.image;
  if (!spec.config.command.empty()) body["Cmd"] = json::array(spec.config.command.begin(), spec.config.command.end());
  json::array env;
  for (const auto& [key, value] : spec.config.env) {
    if (key != agent::kSettingsVariable) env.push_back(json::string(key + "=" + value));
  }
  body["Env"] = std::move(env);
  body["StopSignal"] = "SIGTERM";
  json::object exposed{{portKey(agent::kPort), json::object()}};
  for (std::int64_t port : spec.config.network.exposedPorts) exposed[portKey(port)] = json::object();
  body["ExposedPorts"] = std::move(exposed);
  body["HostConfig"] = hostConfig(spec, config, swarm_id, network, volumes);
  body["Labels"] = containerLabels(spec, config, swarm_id, network);
  // The agent's settings count, too: other settings alone require a replacement. Part of a hash reveals nothing of a secret.
  std::string hash = toHex(sha256(json::serialize(body) + spec.agentBoot + spec.agentFile.reveal())).substr(0, 32);
  body["Labels"].as_object()[kLabelSpec] = hash;
  return body;
}

json::object volumeBody(const InstanceSpec& spec, const VolumePlan& volume, const DockerProviderConfig& config,
                        const std::string& swarm_id) {
  json::object labels = baseLabels(spec, config, swarm_id);
  labels[kLabelInstance] = spec.placeId.str();
  labels[kLabelMount] = volume.mountPath;
  labels[kLabelPersistent] = volume.persistent ? "true" : "false";
  json::object options;
  for (const auto& [key, value] : config.volumeDriverOptions) options[key] = value;
  return {{"Name", volume.name}, {"Driver", config.volumeDriver}, {"DriverOpts", std::move(options)}, {"Labels", std::move(labels)}};
}

json::object networkBody(const InstanceSpec& spec, const NetworkPlan& network, const DockerProviderConfig& config,
                         const std::string& swarm_id) {
  json::object labels = baseLabels(spec, config, swarm_id);
  if (network.shared) labels.erase(kLabelOwner);
  return {{"Name", network.name},
          {"CheckDuplicate", true},
          {"Driver", network.driver},
          {"Internal", network.internal},
          {"Labels", std::move(labels)}};
}

void pinNetwork(json::object& body, const NetworkPlan& network, const std::string& id) {
  body["NetworkingConfig"] = json::object{{"EndpointsConfig", json::object{{network.name, json::object{{"NetworkID", id}}}}}};
}

std::string pinnedNetwork(const json::value& body) {
  const json::object* networks = objectAt(body, "NetworkingConfig.EndpointsConfig");
  return networks && !networks->empty() ? stringAt(networks->begin()->value(), "NetworkID") : std::string();
}

}  // namespace swarm::docker
