// MachineLifecycle: starts, stops and destroys Machines with the API's own wait, from whatever state they are in.
#pragma once

#include "provider/flyio/machine/leases.h"
#include "provider/flyio/machine/machine_finder.h"

namespace swarm::flyio {

inline constexpr MachineState kLaunched[]{MachineState::started, MachineState::stopped, MachineState::failed};
inline constexpr MachineState kSettled[]{MachineState::settled};

class MachineLifecycle {
 public:
  MachineLifecycle(MachinesClient& client, MachineCache& cache, MachineFinder& machines, Leases& leases)
      : client_(client), cache_(cache), machines_(machines), leases_(leases) {}

  struct Started {
    Machine machine;
    bool lacksCapacity = false;  ///< its host has no capacity to start it
  };
  awaitable<Started> start(Machine machine, Deadline deadline);
  awaitable<Machine> stop(Machine machine, std::chrono::seconds grace, Deadline deadline);
  awaitable<void> destroy(Machine machine, Deadline deadline);
  /// Waits until the Machine is in one of `states`, has ended after `ended_before`, or is gone.
  awaitable<Machine> waitFor(Machine machine, MachineStates states, Deadline deadline, std::int64_t ended_before = INT64_MAX);

 private:
  awaitable<FlyResult<void>> requestStart(const Machine& machine, Deadline deadline);
  awaitable<Machine> waitForStart(Machine machine, std::int64_t ended_before, Deadline deadline);

  MachinesClient& client_;
  MachineCache& cache_;
  MachineFinder& machines_;
  Leases& leases_;
};

}  // namespace swarm::flyio
