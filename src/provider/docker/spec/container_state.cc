// Status, reasons, network and effective resources from an inspection.
#include "provider/docker/spec/container_state.h"

#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "protocol/agent.h"
#include "provider/docker/spec/container_spec.h"
#include "provider/kept_resources.h"

namespace swarm::docker {
namespace {

/// Ended by our own stop or kill: 143 is SIGTERM, 137 SIGKILL after the grace, 130 SIGINT.
bool isStopCode(std::int64_t code) { return code == 0 || code == 143 || code == 137 || code == 130; }

void readExit(const json::value& state, EndedBy ended_by, ProviderInstance& instance) {
  std::int64_t code = integerAt(state, "ExitCode");
  std::string error = printable(stringAt(state, "Error"));
  // The Engine reports the same for any process inside; only a main process that was killed ended because of it.
  bool out_of_memory = boolAt(state, "OOMKilled") && code == 137 && ended_by == EndedBy::Itself;
  if (out_of_memory) {
    instance.status = InstanceStatus::failed;
    instance.reason = format("exited with code {} (out of memory)", code);
  } else if (!error.empty()) {
    instance.status = InstanceStatus::failed;
    instance.reason = format("could not be started: {}", error);
  } else if (ended_by == EndedBy::Stop || isStopCode(code)) {
    instance.status = InstanceStatus::stopped;
    if (code == 137) instance.reason = "killed (signal 9)";
  } else {
    instance.status = InstanceStatus::failed;
    instance.reason = format("exited with code {}", code);
  }
}

void readStatus(ContainerStatus status, const json::value& state, EndedBy ended_by, ProviderInstance& instance) {
  switch (status) {
    case ContainerStatus::running:
      instance.status = InstanceStatus::running;
      break;
    case ContainerStatus::paused:
      instance.status = InstanceStatus::stopped;  // no process in it runs
      instance.reason = "is paused at the Docker Engine; start continues it";
      break;
    case ContainerStatus::restarting:
      instance.status = InstanceStatus::starting;
      break;
    case ContainerStatus::removing:
      instance.status = InstanceStatus::deleting;
      break;
    case ContainerStatus::dead:
      instance.status = InstanceStatus::failed;
      instance.reason = "the Docker Engine could not remove all of it (dead)";
      break;
    case ContainerStatus::created:
      if (!stringAt(state, "Error").empty()) return readExit(state, ended_by, instance);
      instance.status = InstanceStatus::creating;
      break;
    case ContainerStatus::exited:
    case ContainerStatus::unknown:
      readExit(state, ended_by, instance);
      break;
  }
}

/// What was requested, except what an update of the container may have changed since.
ResourceConfig readResources(const json::value& inspection, const std::string& kept_text) {
  ResourceConfig resources = readKeptResources(kept_text);
  const double requested = resources.cpu.cores;
  std::int64_t milli = integerAt(inspection, "HostConfig.NanoCpus") / 1'000'000;
  resources.cpu.limit = milli;
  resources.cpu.cores = static_cast<double>(milli) / 1000;
  // A live update cannot change labels, but it sets the shares, from which the cores follow.
  std::int64_t shares = integerAt(inspection, "HostConfig.CpuShares");
  if (shares > 0) resources.cpu.cores = static_cast<double>(shares) / 1024;
  if (std::llround(requested * 1024) == shares) resources.cpu.cores = requested;
  resources.memory.max = integerAt(inspection, "HostConfig.Memory") / kMib;
  resources.memory.min = integerAt(inspection, "HostConfig.MemoryReservation") / kMib;
  resources.pids = integerAt(inspection, "HostConfig.PidsLimit");
  return resources;
}

std::int64_t portNumber(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void readPort(std::string_view key, const json::value& bindings, const DockerProviderConfig& config, ContainerDetails& details) {
  const json::array* list = bindings.if_array();
  if (!list || list->empty()) return;
  std::int64_t external = portNumber(stringAt(list->front(), "HostPort"));
  if (key == portKey(agent::kPort)) {
    details.agentPort = external;
    return;
  }
  auto slash = key.find('/');
  NetworkInfo& network = details.instance.network;
  std::string protocol = slash == std::string_view::npos ? "tcp" : std::string(key.substr(slash + 1));
  network.ports.push_back({portNumber(key.substr(0, slash)), external, protocol});
  std::string address = stringAt(list->front(), "HostIp");
  if (address.empty() || address == "0.0.0.0" || address == "::") address = engine::isLocal(config) ? "127.0.0.1" : config.host;
  if (network.externalIp.empty()) network.externalIp = address;
  network.urls.push_back("http://" + net::toString({address, static_cast<std::uint16_t>(external)}) + "/");
}

void readNetwork(const json::value& inspection, const DockerProviderConfig& config, ContainerDetails& details) {
  NetworkInfo& network = details.instance.network;
  network.hostname = stringAt(inspection, "Config.Hostname");
  const json::object* joined = objectAt(inspection, "NetworkSettings.Networks");
  if (joined) {
    for (const auto& entry : *joined) {
      std::string address = stringAt(entry.value(), "IPAddress");
      if (address.empty()) continue;
      network.internalIp = address;
      if (entry.key() == details.network) break;
    }
  }
  details.networkAddress = network.internalIp;
  const json::value* endpoint = joined ? joined->if_contains(details.network) : nullptr;
  if (endpoint) details.networkId = stringAt(*endpoint, "NetworkID");
  details.connected = details.network.empty() || !joined || endpoint;
  if (!details.connected && details.status == ContainerStatus::running) {
    details.instance.status = InstanceStatus::failed;
    details.instance.reason = format("is not connected to its network {}; restart connects it again", details.network);
  }
  if (const json::object* ports = objectAt(inspection, "NetworkSettings.Ports")) {
    for (const auto& entry : *ports) readPort(entry.key(), entry.value(), config, details);
  }
}

void readMounts(const json::value& inspection, ContainerDetails& details) {
  for (const json::value& mount : arrayAt(inspection, "Mounts")) {
    if (stringAt(mount, "Type") != "volume") continue;
    details.volumes.push_back(stringAt(mount, "Name"));
    details.mountPaths.push_back(stringAt(mount, "Destination"));
  }
}

/// Whether the agent's settings, which the server has written, contain a hold.
bool demandsHold(const json::value& inspection) {
  const std::string prefix = format("{}=", agent::kSettingsVariable);
  for (const std::string& variable : textsAt(inspection, "Config.Env"))
    if (variable.starts_with(prefix)) return !stringAt(parseOrNull(variable.substr(prefix.size())), "hold").empty();
  return false;
}

}  // namespace

ContainerDetails readContainer(const json::value& inspection, const DockerProviderConfig& config, EndedBy ended_by) {
  ContainerDetails details;
  details.id = stringAt(inspection, "Id");
  details.status = engine::containerStatusOf(stringAt(inspection, "State.Status"));
  auto label = [&](std::string_view name) { return stringIn(inspection, "Config.Labels", name); };
  details.specHash = label(kLabelSpec);
  details.imageName = stringAt(inspection, "Config.Image");
  details.credential = label(kLabelAgent) == kPublicKeyAgent ? AgentCredential::PublicKey : AgentCredential::Secret;
  details.hasTls = label(kLabelAgentTls) == "true";
  details.network = label(kLabelNetwork);
  details.internal = label(kLabelInternal) == "true";
  const json::value ports = parseOrNull(label(kLabelPorts));
  for (const json::value& port : arrayAt(ports, "")) details.exposedPorts.insert(port.is_int64() ? port.as_int64() : 0);
  details.replacesRunning = label(kLabelRun) == "true";
  details.startsHeld = demandsHold(inspection);

  ProviderInstance& instance = details.instance;
  instance.placeId = PlaceId(label(kLabelInstance));
  instance.name = label(kLabelName);
  instance.owner = label(kLabelOwner);
  instance.region = config.name;
  instance.image = stringAt(inspection, "Image");
  instance.createdAt = timeAt(inspection, "Created");
  instance.startedAt = timeAt(inspection, "State.StartedAt");
  if (const json::value* state = member(inspection, "State")) readStatus(details.status, *state, ended_by, instance);
  instance.resources = readResources(inspection, label(kLabelResources));
  readNetwork(inspection, config, details);
  readMounts(inspection, details);
  instance.external.push_back({ResourceKind::container, details.id});
  if (!details.network.empty()) instance.external.push_back({ResourceKind::network, details.network});
  for (const std::string& volume : details.volumes) instance.external.push_back({ResourceKind::volume, volume});
  return details;
}

}  // namespace swarm::docker
