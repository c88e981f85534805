// Puts the parts together, and leads each call to its part.
#include "provider/flyio/flyio_provider.h"

#include "async/attempt.h"
#include "base/text/format.h"
#include "provider/flyio/check/image_check.h"
#include "provider/flyio/check/validation.h"
#include "provider/flyio/inside/command_runner.h"
#include "provider/flyio/inside/machine_logs.h"
#include "provider/flyio/instance/instance_creator.h"
#include "provider/flyio/instance/instance_remover.h"
#include "provider/flyio/instance/instance_updater.h"
#include "provider/flyio/instance/placement_preview.h"
#include "provider/flyio/snapshot/snapshot_readers.h"
#include "provider/flyio/spec/machine_state.h"
#include "provider/flyio/watch/instance_lister.h"

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

/// In the order of their dependencies: a part uses those before it.
struct FlyIOProvider::Parts {
  Parts(FlyIOProviderConfig config, std::string swarm_id, const Clock& clock, Tuning tuning)
      : swarm(std::move(config), std::move(swarm_id)),
        client(swarm.config.apiBaseUrl, swarm.config.apiToken, swarm.config.organization, tuning, swarm.tls),
        web(webUrl(swarm.config.apiBaseUrl), swarm.config.apiToken, swarm.config.organization, tuning, swarm.tls),
        watch(client, web, cache, organization, regions, clock) {}

  const FlySwarm swarm;
  MachinesClient client;
  MachinesClient web;      ///< of Fly's web API
  async::KeyedLock locks;  ///< of instances and of volume names
  MachineCache cache{swarm.config};
  Organization organization{client, swarm};
  MachineFinder machines{client, swarm, cache, organization};
  Leases leases{client, swarm};
  MachineLifecycle lifecycle{client, cache, machines, leases};
  VolumeRecords records{client};
  Volumes volumes{client, records, swarm.config.volumeSnapshotRetentionDays};
  Placer placer{client, cache, volumes, records};
  HostMoves moves{client, swarm, machines, lifecycle, placer, volumes, records};
  Apps apps{client, records};
  Regions regions{client};
  VolumeCatalog catalog{client, swarm, cache, organization, machines, apps, volumes, records, locks};
  SnapshotReaders readers{client, swarm, cache, machines, lifecycle, apps, regions, volumes, placer, moves, locks};
  InstanceCreator creator{client, swarm, cache, machines, apps, regions, volumes, records, catalog, placer, moves, locks};
  InstanceUpdater updater{client, swarm, cache, machines, leases, lifecycle, moves, apps, volumes, locks};
  InstanceRemover remover{swarm, cache, machines, lifecycle, apps, volumes, records, client};
  PlacementPreviewer previewer{client, swarm, machines, creator};
  MachineLogs logs{web, machines};
  CommandRunner commands{client, machines};
  Watch watch;
  InstanceLister lister{swarm, cache, organization, machines, watch};
};

FlyIOProvider::FlyIOProvider(FlyIOProviderConfig config, std::string swarm_id, const Clock& clock, Tuning tuning)
    : parts_(std::make_unique<Parts>(std::move(config), std::move(swarm_id), clock, tuning)) {}

FlyIOProvider::~FlyIOProvider() = default;

const MachinesClient& FlyIOProvider::client() const { return parts_->client; }
VolumeSnapshots* FlyIOProvider::volumeSnapshots() { return &parts_->readers; }
LogSource* FlyIOProvider::logs() { return &parts_->logs; }

awaitable<void> FlyIOProvider::open(ProviderEventSink sink) { return parts_->watch.open(std::move(sink)); }
awaitable<void> FlyIOProvider::close() { return parts_->watch.close(); }
ProviderHealthReport FlyIOProvider::health() const { return parts_->watch.health(); }

awaitable<ProviderInstance> FlyIOProvider::createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) {
  return parts_->creator.create(std::move(spec), progress, deadline);
}

awaitable<PlacementPreview> FlyIOProvider::previewInstance(InstanceSpec spec, Deadline deadline) {
  return parts_->previewer.preview(std::move(spec), deadline);
}

awaitable<std::optional<std::vector<LostVolume>>> FlyIOProvider::findLostVolumes(InstanceSpec spec, Deadline deadline) {
  co_return co_await parts_->creator.findLostVolumes(std::move(spec), deadline);
}

awaitable<void> FlyIOProvider::startInstance(PlaceId place_id, Progress& progress, Deadline deadline) {
  auto guard = co_await parts_->locks.acquire(place_id.str(), deadline);
  progress.step(Step::StartMachine);
  Machine machine = co_await parts_->machines.require(place_id, deadline);
  machine = co_await parts_->moves.start(std::move(machine), progress, deadline);
  co_await parts_->moves.cleanUp(std::move(machine), deadline);
}

awaitable<void> FlyIOProvider::stopInstance(PlaceId place_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) {
  auto guard = co_await parts_->locks.acquire(place_id.str(), deadline);
  progress.step(Step::StopMachine);
  Machine machine = co_await parts_->machines.require(place_id, deadline);
  co_await parts_->lifecycle.stop(std::move(machine), grace, deadline);
}

awaitable<void> FlyIOProvider::deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                                              Progress& progress, Deadline deadline) {
  auto guard = co_await parts_->locks.acquire(place_id.str(), deadline);
  if (std::string app = co_await parts_->readers.findApp(place_id, external, deadline); !app.empty()) {
    co_await parts_->readers.close(app, place_id, std::move(external), progress, deadline);
  } else {
    co_await parts_->remover.remove(place_id, volumes, std::move(external), progress, deadline);
    parts_->moves.forget(place_id);
  }
  parts_->cache.forget(place_id);
}

awaitable<std::optional<ProviderInstance>> FlyIOProvider::getInstance(PlaceId place_id, Deadline deadline) {
  auto machine = co_await parts_->machines.find(std::move(place_id), deadline);
  if (!machine || machine->state == MachineState::destroying) co_return std::nullopt;
  co_return toInstance(*machine, parts_->swarm.config);
}

awaitable<InstanceList> FlyIOProvider::listInstances(InstanceFilter filter, Deadline deadline) {
  return parts_->lister.list(std::move(filter), deadline);
}

/// Compares names and digests without a call: a tag that was moved in its registry is not noticed.
bool FlyIOProvider::isImageOutdated(const ProviderInstance& observed, const std::string& image) const {
  if (observed.image.empty()) return false;
  try {
    return isOtherImage(observed.image, imageAtFly(image, parts_->swarm.config));
  } catch (const Error&) {
    return false;  // the workspace image has no name on Fly any more
  }
}

awaitable<ProviderInstance> FlyIOProvider::replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) {
  return parts_->updater.replace(std::move(spec), progress, deadline);
}

awaitable<AllocationEffect> FlyIOProvider::allocateResources(PlaceId place_id, ResourceConfig resources, Deadline deadline) {
  return parts_->updater.allocate(std::move(place_id), resources, deadline);
}

awaitable<AllocationEffect> FlyIOProvider::configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline) {
  return parts_->updater.configureNetwork(std::move(place_id), std::move(network), deadline);
}

/// Limits only: nothing outside of a Machine can measure usage. The controller queries the agent (README.md, "Deviations").
awaitable<ResourceUsage> FlyIOProvider::getResourceUsage(PlaceId place_id, Deadline deadline) {
  Machine machine = co_await parts_->machines.require(std::move(place_id), deadline);
  ResourceConfig resources = resourcesOf(machine);
  ResourceUsage usage;
  usage.cpu.limit = resources.cpu.limit;
  usage.memory.limit = static_cast<double>(resources.memory.max);
  usage.storage.limit = static_cast<double>(resources.storage.size);
  co_return usage;
}

awaitable<NetworkInfo> FlyIOProvider::getNetworkInfo(PlaceId place_id, Deadline deadline) {
  Machine machine = co_await parts_->machines.require(std::move(place_id), deadline);
  co_return networkOf(machine, parts_->swarm.config);
}

awaitable<AgentEndpoint> FlyIOProvider::agentEndpoint(PlaceId place_id, Deadline deadline) {
  Machine machine = co_await parts_->machines.require(place_id, deadline);
  if (machine.isHostUnreachable()) throw hostUnreachable(machine);
  if (machine.state != MachineState::started) {
    throw Error(ErrorCode::Conflict, format("The workspace is not running (its Machine is {}).", machine.state.name()))
        .withInstance(place_id.str());
  }
  const FlySwarm& swarm = parts_->swarm;
  const net::Url url = serverUrl(appUrl(swarm.config, machine.app, isPrivate(machine)), "appUrl");
  AgentEndpoint endpoint(impatient(connectorTo(url, swarm.tls)), url.authority(), {{"fly-force-instance-id", machine.id}});
  endpoint.credential = credentialOf(machine);
  co_return endpoint;
}

awaitable<CommandResult> FlyIOProvider::executeCommand(PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                                       Deadline deadline) {
  return parts_->commands.run(std::move(place_id), std::move(command), std::move(stdin_text), deadline);
}

ProviderCapabilities FlyIOProvider::getProviderCapabilities() const {
  ProviderCapabilities capabilities;
  capabilities.supportsLiveResize = false;
  capabilities.supportsSnapshotting = true;
  capabilities.supportsMultiRegion = true;
  for (const Region& region : parts_->regions.known().regions) {
    if (!region.deprecated) capabilities.supportedRegions.push_back(region.code);
  }
  capabilities.maxInstancesPerUser = parts_->swarm.config.maxInstancesPerUser;
  capabilities.maxResourcesPerInstance = effectiveOn(kLargestGuest, {});
  capabilities.maxResourcesPerInstance.storage.size = kLargestVolumeGb;
  return capabilities;
}

awaitable<std::vector<VolumeInfo>> FlyIOProvider::listVolumes(Deadline deadline) {
  std::vector<StoredVolume> all = co_await parts_->catalog.list(deadline);
  std::vector<VolumeInfo> infos;
  for (const StoredVolume& stored : all) {
    const StorageEntry& entry = stored.entry;
    infos.push_back({entry.name, entry.placeId, entry.owner, entry.mountPath, !stored.usedBy.empty(), stored.createdAt, stored.isStray});
  }
  co_return infos;
}

awaitable<void> FlyIOProvider::deleteVolume(std::string name, Deadline deadline) {
  return parts_->catalog.remove(std::move(name), deadline);
}

awaitable<std::vector<ValidationCheck>> FlyIOProvider::validate(Deadline deadline) {
  return validateConfiguration(parts_->client, parts_->swarm, deadline);
}

}  // namespace swarm::flyio
