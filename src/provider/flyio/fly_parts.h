// FlyParts: the parts of one FlyIOProvider; and its calls that need several of them, each in the file of its subject.
#pragma once

#include "async/lock/keyed_lock.h"
#include "provider/flyio/app/apps.h"
#include "provider/flyio/app/regions.h"
#include "provider/flyio/machine/host_moves.h"
#include "provider/flyio/watch/watch.h"

namespace swarm::flyio {

/// In the order of their dependencies: a part uses those before it.
struct FlyParts {
  FlyParts(FlyIOProviderConfig config, std::string swarm_id, const Clock& clock, Tuning tuning)
      : swarm(std::move(config), std::move(swarm_id)),
        client(swarm.config.apiBaseUrl, swarm.token, swarm.config.organization, tuning, swarm.tls),
        web(webUrl(swarm.config.apiBaseUrl), swarm.token, swarm.config.organization, tuning, swarm.tls),
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
  Watch watch;
};

// Instances (instance/). A create makes app, secrets, addresses, volume and Machine, in this order; each step finds and uses what exists.
awaitable<ProviderInstance> createInstance(FlyParts& parts, InstanceSpec spec, Progress& progress, Deadline deadline);
awaitable<std::vector<LostVolume>> findLostVolumes(FlyParts& parts, InstanceSpec spec, Deadline deadline);
/// The regions of a plan, and the app of existing volumes that are requested by name.
awaitable<void> completePlan(FlyParts& parts, InstancePlan& plan, Deadline deadline);
/// What a create would make, without creating anything.
awaitable<PlacementPreview> previewInstance(FlyParts& parts, InstanceSpec spec, Deadline deadline);
/// A new version of the same Machine, in place, under a lease. Fly runs the old version until it accepts the new one.
awaitable<ProviderInstance> replaceInstance(FlyParts& parts, InstanceSpec spec, Progress& progress, Deadline deadline);
awaitable<AllocationEffect> allocateResources(FlyParts& parts, PlaceId place_id, ResourceConfig resources, Deadline deadline);
awaitable<AllocationEffect> configureNetwork(FlyParts& parts, PlaceId place_id, NetworkConfig network, Deadline deadline);
/// Deletes Machine, volume, addresses and app. A kept volume keeps its app, because a volume on Fly cannot exist without one.
awaitable<void> removeInstance(FlyParts& parts, PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                               Progress& progress, Deadline deadline);
awaitable<InstanceList> listInstances(FlyParts& parts, InstanceFilter filter, Deadline deadline);  // watch/

/// The swarm's volumes (volume/) in the terms of the contract: the folders of the one volume that a Machine mounts, each under its name.
/// One is where the files of a StorageConfig are and which instance uses them; or a volume that holds no storage.
struct StoredVolume {
  StorageEntry entry;
  std::string app;
  std::string volumeId;  ///< empty: unknown
  PlaceId usedBy;        ///< empty: unused
  SystemTime createdAt{};
  bool isStray = false;          ///< the volume holds no storage; the entry describes the volume itself
  std::optional<Error> trouble;  ///< why no volume may be mounted for it
};
awaitable<std::vector<StoredVolume>> listStoredVolumes(FlyParts& parts, Deadline deadline);
awaitable<void> removeVolume(FlyParts& parts, std::string name, Deadline deadline);
inline std::string lockOfVolume(const std::string& name) { return "volume " + name; }

// Fly's own snapshots of volumes, and readers of them (snapshot/)
awaitable<std::vector<VolumeSnapshot>> listSnapshots(FlyParts& parts, PlaceId place_id, std::vector<ExternalResource> external,
                                                     Deadline deadline);
awaitable<ProviderInstance> openSnapshot(FlyParts& parts, SnapshotReader reader, Progress& progress, Deadline deadline);
/// The app that contains a reader of that id; empty: it is not a reader.
awaitable<std::string> findReader(FlyParts& parts, PlaceId id, const std::vector<ExternalResource>& external, Deadline deadline);
awaitable<void> closeReader(FlyParts& parts, std::string app, PlaceId id, std::vector<ExternalResource> external, Progress& progress,
                            Deadline deadline);

// Inside a Machine (inside/)
/// Through Fly's exec: small texts and short commands only. Larger ones are refused before they are sent, because Fly drops them silently
/// (docs/reference/fly-machines.md §8). The agent has none of these limits.
awaitable<CommandResult> runCommand(FlyParts& parts, PlaceId place_id, std::vector<std::string> command, std::string input,
                                    Deadline deadline);
/// From Fly's web API, also after the Machine has ended, shortly after it was written. `parts` must outlive the reader.
awaitable<std::unique_ptr<LogSource::Reader>> openLog(FlyParts& parts, PlaceId place_id, LogSource::Options options, Deadline deadline);

awaitable<std::vector<ValidationCheck>> validateConfiguration(MachinesClient& client, const FlySwarm& swarm, Deadline deadline);  // check/
/// ApiToken::checkToken()
awaitable<void> checkNewToken(MachinesClient& client, const FlySwarm& swarm, Secret token, Deadline deadline);

}  // namespace swarm::flyio
