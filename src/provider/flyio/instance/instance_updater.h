// InstanceUpdater: a new version of the same Machine, in place, under a lease. Fly runs the old version until it accepts the new one.
#pragma once

#include <optional>
#include <string>

#include "async/lock/keyed_lock.h"
#include "provider/flyio/app/apps.h"
#include "provider/flyio/machine/host_moves.h"

namespace swarm::flyio {

class InstanceUpdater {
 public:
  InstanceUpdater(MachinesClient& client, const FlySwarm& swarm, MachineCache& cache, MachineFinder& machines, Leases& leases,
                  MachineLifecycle& lifecycle, HostMoves& moves, Apps& apps, Volumes& volumes, async::KeyedLock& locks)
      : client_(client),
        swarm_(swarm),
        cache_(cache),
        machines_(machines),
        leases_(leases),
        lifecycle_(lifecycle),
        moves_(moves),
        apps_(apps),
        volumes_(volumes),
        locks_(locks) {}

  awaitable<ProviderInstance> replace(InstanceSpec spec, Progress& progress, Deadline deadline);
  awaitable<AllocationEffect> allocate(PlaceId place_id, ResourceConfig resources, Deadline deadline);
  awaitable<AllocationEffect> configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline);

 private:
  struct Change {
    json::object config;
    std::string hash;  ///< of the plan
    std::int64_t secrets = 0;
  };
  awaitable<Machine> applyPlan(Machine machine, InstancePlan plan, Progress& progress, Deadline deadline);
  awaitable<Machine> update(Machine machine, Change change, Progress& progress, Deadline deadline);
  awaitable<Made<Machine>> updateUnderLease(Machine& machine, const Change& change, std::string lease, Deadline deadline);
  awaitable<Made<Machine>> tryUpdate(Machine machine, const Change& change, std::string lease, Deadline deadline);
  awaitable<Machine> updateOnAnotherHost(Machine machine, json::object config, Progress& progress, Deadline deadline);
  /// The size of the mounted volume afterwards: it never shrinks. Nothing without a volume.
  awaitable<std::optional<std::int64_t>> growMounted(const Machine& machine, std::int64_t size_gb, Deadline deadline);

  MachinesClient& client_;
  const FlySwarm& swarm_;
  MachineCache& cache_;
  MachineFinder& machines_;
  Leases& leases_;
  MachineLifecycle& lifecycle_;
  HostMoves& moves_;
  Apps& apps_;
  Volumes& volumes_;
  async::KeyedLock& locks_;
};

}  // namespace swarm::flyio
