#include "provider/flyio/spec/machine_state.h"

#include <algorithm>

#include "base/text/format.h"
#include "base/text/json_access.h"
#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/spec/machine_spec.h"
#include "provider/kept_resources.h"

namespace swarm::flyio {
namespace {

const json::value* newestOf(const Machine& machine, std::string_view type) {
  for (const json::value& event : machine.events) {
    if (stringAt(event, "type") == type) return &event;
  }
  return nullptr;
}

void readExit(const Machine& machine, ProviderInstance& instance) {
  instance.status = InstanceStatus::stopped;
  const json::value* exit = newestOf(machine, "exit");
  if (!exit) return;
  const json::value* facts = member(*exit, "request.exit_event");
  if (!facts || boolAt(*facts, "requested_stop")) return;
  std::int64_t code = integerAt(*facts, "guest_exit_code", integerAt(*facts, "exit_code"));
  std::int64_t signal = integerAt(*facts, "guest_signal");
  if (boolAt(*facts, "oom_killed")) {
    instance.status = InstanceStatus::failed;
    instance.reason = format("exited with code {} (out of memory)", code);
  } else if (code != 0 || signal > 0) {
    instance.status = InstanceStatus::failed;
    instance.reason = signal > 0 ? format("was killed by signal {} (exit code {})", signal, code) : format("exited with code {}", code);
  }
}

using Status = InstanceStatus;
struct StateMeaning {
  MachineState state;
  Status status;
  std::string_view reason = {};
};
/// Of every state except stopped, and of those that Fly adds, which are read like it.
constexpr StateMeaning kStateMeanings[]{
    {MachineState::creating, Status::creating},
    {MachineState::created, Status::creating},
    {MachineState::starting, Status::starting},
    {MachineState::restarting, Status::starting},
    {MachineState::updating, Status::starting},
    {MachineState::replacing, Status::starting},
    {MachineState::started, Status::running},
    {MachineState::stopping, Status::stopping},
    {MachineState::suspending, Status::stopping},
    {MachineState::suspended, Status::stopped, "suspended on Fly; a start resumes it"},
    {MachineState::failed, Status::failed, "could not be started by Fly"},
    {MachineState::launch_failed, Status::failed, "could not be started by Fly"},
    {MachineState::destroying, Status::deleting},
    {MachineState::destroyed, Status::deleting},
    {MachineState::replaced, Status::deleting},
    {MachineState::migrated, Status::deleting},
};

void readStatus(const Machine& machine, ProviderInstance& instance) {
  auto meaning = std::ranges::find(kStateMeanings, machine.state.value(), &StateMeaning::state);
  if (meaning == std::end(kStateMeanings)) {
    readExit(machine, instance);
  } else {
    instance.status = meaning->status;
    instance.reason = meaning->reason;
  }
  if (machine.isHostUnreachable() && instance.status != InstanceStatus::deleting) {
    instance.status = InstanceStatus::failed;
    instance.reason = "is on an unreachable host of Fly; Machine and volume return with the host";
  }
}

/// The reference in its configuration, with the digest if known.
std::string imageOf(const Machine& machine) {
  const json::value* image = machine.config.if_contains("image");
  std::string reference = image && image->is_string() ? std::string(image->as_string()) : std::string();
  bool adds_digest = !reference.empty() && !machine.imageDigest.empty() && reference.find('@') == std::string::npos;
  return adds_digest ? format("{}@{}", reference, machine.imageDigest) : reference;
}

}  // namespace

std::int64_t newestEvent(const Machine& machine, std::string_view type) {
  const json::value* event = newestOf(machine, type);
  return event ? integerAt(*event, "timestamp") : 0;
}

Error hostUnreachable(const Machine& machine) {
  return Error(ErrorCode::Unavailable,
               "The workspace's host at Fly is unreachable. Its Machine and volume return with the host; no replacement is created. To "
               "continue "
               "without it, restore one of Fly's snapshots of the volume: swarm snapshot list NAME, then swarm snapshot restore NAME "
               "vs_….")
      .withRetryable(false)
      .withInstance(machine.metadata(kMetaInstance));
}

bool isPrivate(const Machine& machine) { return machine.metadata(kMetaPrivate) == "true"; }

net::Url urlOf(const Machine& machine, const FlyIOProviderConfig& config) {
  return serverUrl(isPrivate(machine) ? privateAppUrl(config, machine.app) : appUrl(config, machine.app), "appUrl");
}

std::vector<std::string> regionsAllowed(const Machine& machine, const FlyIOProviderConfig& config) {
  const std::vector<std::string> requested = textsAt(parseOrNull(machine.metadata(kMetaRegions)), "");
  return requested.empty() ? config.regions : requested;
}

ResourceConfig resourcesOf(const Machine& machine) {
  const ResourceConfig resources = readKeptResources(machine.metadata(kMetaResources));
  const json::value* guest = machine.config.if_contains("guest");
  return guest ? effectiveOn(readGuest(*guest), resources) : resources;
}

NetworkInfo networkOf(const Machine& machine, const FlyIOProviderConfig& config) {
  NetworkInfo network;
  network.internalIp = machine.privateIp;
  const net::Url url = urlOf(machine, config);
  network.hostname = url.host;
  json::value ports = parseOrNull(machine.metadata(kMetaPorts));
  for (const json::value& port : arrayAt(ports, "")) {
    if (!port.is_int64()) continue;
    std::int64_t external = externalPort(port.as_int64());
    network.ports.push_back({port.as_int64(), external, "tcp"});
    network.urls.push_back(format("{}://{}:{}/", url.scheme(), url.host, external));
  }
  return network;
}

ProviderInstance toInstance(const Machine& machine, const FlyIOProviderConfig& config) {
  ProviderInstance instance;
  instance.placeId = placeOf(machine);
  instance.name = machine.metadata(kMetaName);
  instance.owner = machine.metadata(kMetaOwner);
  instance.region = machine.region;
  instance.image = imageOf(machine);
  instance.createdAt = machine.createdAt;
  std::int64_t started = newestEvent(machine, "start");
  instance.startedAt = started > 0 ? SystemTime(std::chrono::milliseconds(started)) : machine.createdAt;
  readStatus(machine, instance);
  instance.resources = resourcesOf(machine);
  instance.network = networkOf(machine, config);
  instance.external = {{isReader(machine) ? ResourceKind::reader : ResourceKind::app, machine.app}, {ResourceKind::machine, machine.id}};
  std::string volume = machine.volumeId();
  if (!volume.empty()) instance.external.push_back({ResourceKind::volume, volume});
  return instance;
}

}  // namespace swarm::flyio
