#include "provider/flyio/flyio_provider.h"

#include "async/attempt.h"
#include "base/text/format.h"
#include "provider/flyio/check/image_check.h"
#include "provider/flyio/spec/machine_spec.h"
#include "provider/flyio/spec/machine_state.h"

namespace swarm {

ProviderPtr makeFlyIOProvider(FlyIOProviderConfig config, std::string swarm_id, const Clock& clock) {
  return std::make_unique<flyio::FlyIOProvider>(std::move(config), std::move(swarm_id), clock);
}

}  // namespace swarm

namespace swarm::flyio {
namespace {

/// Limit for a connection that the edge accepts but does not serve; the next one may be served.
constexpr std::chrono::seconds kConnectAttempt{5};

net::Connector impatient(net::Connector connect) {
  return [connect](Deadline deadline) -> awaitable<net::StreamPtr> {
    for (;;) {
      auto stream = co_await async::attempt(connect(deadline.orAfter(kConnectAttempt)));
      if (stream) co_return std::move(*stream);
      if (stream.error().code() != ErrorCode::DeadlineExceeded || deadline.hasPassed()) throw stream.error();
    }
  };
}

}  // namespace

awaitable<void> FlyIOProvider::startInstance(PlaceId place_id, Progress& progress, Deadline deadline) {
  auto guard = co_await parts_.locks.acquire(place_id.str(), deadline);
  progress.step(Step::StartMachine);
  Machine machine = co_await parts_.machines.require(place_id, deadline);
  machine = co_await parts_.moves.start(std::move(machine), progress, deadline);
  co_await parts_.moves.cleanUp(std::move(machine), deadline);
}

awaitable<void> FlyIOProvider::stopInstance(PlaceId place_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) {
  auto guard = co_await parts_.locks.acquire(place_id.str(), deadline);
  progress.step(Step::StopMachine);
  Machine machine = co_await parts_.machines.require(place_id, deadline);
  co_await parts_.lifecycle.stop(std::move(machine), grace, deadline);
  progress.detail("Files outside of its volume, such as installed packages, are lost.");  // each start has the image's
}

awaitable<void> FlyIOProvider::deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                                              Progress& progress, Deadline deadline) {
  auto guard = co_await parts_.locks.acquire(place_id.str(), deadline);
  if (std::string app = co_await findReader(parts_, place_id, external, deadline); !app.empty()) {
    co_await closeReader(parts_, app, place_id, std::move(external), progress, deadline);
  } else {
    co_await removeInstance(parts_, place_id, volumes, std::move(external), progress, deadline);
    parts_.moves.forget(place_id);
  }
  parts_.cache.forget(place_id);
}

awaitable<std::optional<ProviderInstance>> FlyIOProvider::getInstance(PlaceId place_id, Deadline deadline) {
  auto machine = co_await parts_.machines.find(std::move(place_id), deadline);
  if (!machine || machine->state == MachineState::destroying) co_return std::nullopt;
  co_return toInstance(*machine, parts_.swarm.config);
}

/// Compares names and digests without a call: a tag that was moved in its registry is not noticed.
bool FlyIOProvider::isImageOutdated(const ProviderInstance& observed, const std::string& image) const {
  if (observed.image.empty()) return false;
  try {
    return isOtherImage(observed.image, imageAtFly(image, parts_.swarm.config));
  } catch (const Error&) {
    return false;  // the workspace image has no name on Fly any more
  }
}

/// Limits only: nothing outside of a Machine can measure usage. The controller queries the agent (README.md, "Deviations").
awaitable<ResourceUsage> FlyIOProvider::getResourceUsage(PlaceId place_id, UsageDepth, Deadline deadline) {
  Machine machine = co_await parts_.machines.require(std::move(place_id), deadline);
  ResourceConfig resources = resourcesOf(machine);
  ResourceUsage usage;
  usage.cpu.limit = resources.cpu.limit;
  usage.memory.limit = static_cast<double>(resources.memory.max);
  usage.storage.limit = static_cast<double>(resources.storage.size);
  co_return usage;
}

awaitable<NetworkInfo> FlyIOProvider::getNetworkInfo(PlaceId place_id, Deadline deadline) {
  Machine machine = co_await parts_.machines.require(std::move(place_id), deadline);
  co_return networkOf(machine, parts_.swarm.config);
}

awaitable<AgentEndpoint> FlyIOProvider::agentEndpoint(PlaceId place_id, Deadline deadline) {
  Machine machine = co_await parts_.machines.require(place_id, deadline);
  if (machine.isHostUnreachable()) throw hostUnreachable(machine);
  if (machine.state != MachineState::started) {
    throw Error(ErrorCode::Conflict, format("The workspace is not running (its Machine is {}).", machine.state.name()))
        .withInstance(place_id.str());
  }
  const FlySwarm& swarm = parts_.swarm;
  const net::Url url = urlOf(machine, swarm.config);
  AgentEndpoint endpoint(impatient(connectorTo(url, swarm.tls)), url.authority(), {{"fly-force-instance-id", machine.id}});
  endpoint.credential = credentialOf(machine);
  co_return endpoint;
}

ResourceConfig FlyIOProvider::effectiveResources(const ResourceConfig& requested) const {
  try {
    return effectiveOn(roundUp(requested), requested);
  } catch (const Error&) {  // no Machine is as large: none will be created
    return requested;
  }
}

std::vector<std::string> FlyIOProvider::possibleRegions(const NetworkConfig& network) const {
  return regionsFor(network, parts_.swarm.config);
}

ProviderCapabilities FlyIOProvider::getProviderCapabilities() const {
  ProviderCapabilities capabilities;
  capabilities.supportsLiveResize = false;
  capabilities.supportsSnapshotting = true;
  capabilities.keepsFilesAtStop = false;
  capabilities.supportsMultiRegion = true;
  for (const Region& region : parts_.regions.known().regions) {
    if (!region.deprecated) capabilities.supportedRegions.push_back(region.code);
  }
  capabilities.maxInstancesPerUser = parts_.swarm.config.maxInstancesPerUser;
  capabilities.maxResourcesPerInstance = effectiveOn(kLargestGuest, {});
  capabilities.maxResourcesPerInstance.storage.size = kLargestVolumeGb;
  return capabilities;
}

awaitable<std::vector<VolumeInfo>> FlyIOProvider::listVolumes(Deadline deadline) {
  std::vector<StoredVolume> all = co_await listStoredVolumes(parts_, deadline);
  std::vector<VolumeInfo> infos;
  for (const StoredVolume& stored : all) {
    const StorageEntry& entry = stored.entry;
    infos.push_back({entry.name, entry.placeId, entry.owner, entry.mountPath, !stored.usedBy.empty(), stored.createdAt, stored.isStray});
  }
  co_return infos;
}

}  // namespace swarm::flyio
