// HostMoves: moves an instance to another host when its own has no capacity (docs/reference/fly-machines.md §12, pitfall 2). There are
// never two writers, and the only copy of the files is never deleted:
//   M0 (stopped) on V0                       nothing done yet
//   M0 on V0, fork V1                        copied; M1 does not exist yet: V1 has no value, M0 and V0 are current
//   M0 on V0, M1 (newer generation) on V1    M1 is current, M0 is never started again
//   M1 on V1                                 done: V0 was deleted when all of V1 was on its own host
// What may be deleted is recorded first: the copy's name in the app's record, V0's id in M1's metadata. No other volume is deleted.
#pragma once

#include <set>
#include <string>

#include "provider/flyio/machine/machine_lifecycle.h"
#include "provider/flyio/machine/placer.h"

namespace swarm::flyio {

class HostMoves {
 public:
  HostMoves(MachinesClient& client, const FlySwarm& swarm, MachineFinder& machines, MachineLifecycle& lifecycle, Placer& placer,
            Volumes& volumes, VolumeRecords& records)
      : client_(client), swarm_(swarm), machines_(machines), lifecycle_(lifecycle), placer_(placer), volumes_(volumes), records_(records) {}

  /// Starts the Machine, on another host if its own has no capacity.
  awaitable<Machine> start(Machine machine, Progress& progress, Deadline deadline);
  /// `config`: of the new Machine.
  awaitable<Machine> move(Machine machine, json::object config, Progress& progress, Deadline deadline);

  /// Removes what a move left over, unless nothing is known to be left.
  awaitable<void> cleanUp(Machine current, Deadline deadline);
  void noteClean(const PlaceId& place_id) { clean_.insert(place_id); }
  void forget(const PlaceId& place_id) { clean_.erase(place_id); }

 private:
  awaitable<void> removeLeftovers(Machine current, Deadline deadline);
  awaitable<bool> removeOldVolumes(const Machine& current, std::string mounted, Deadline deadline);

  MachinesClient& client_;
  const FlySwarm& swarm_;
  MachineFinder& machines_;
  MachineLifecycle& lifecycle_;
  Placer& placer_;
  Volumes& volumes_;
  VolumeRecords& records_;
  std::set<PlaceId> clean_;  ///< instances whose app has nothing left over
};

}  // namespace swarm::flyio
