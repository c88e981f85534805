// InstanceLister: listInstances from the organization's list: one request for a thousand Machines. This server's own recent calls take
// precedence over a list that may not include them yet.
#pragma once

#include "provider/flyio/machine/machine_finder.h"
#include "provider/flyio/watch/watch.h"

namespace swarm::flyio {

class InstanceLister {
 public:
  InstanceLister(const FlySwarm& swarm, MachineCache& cache, Organization& organization, MachineFinder& machines, const Watch& watch)
      : swarm_(swarm), cache_(cache), organization_(organization), machines_(machines), watch_(watch) {}

  awaitable<InstanceList> list(InstanceFilter filter, Deadline deadline);

 private:
  awaitable<ProviderInstance> describe(const Machine& listed, int& reads_left, Deadline deadline);
  /// What the cache has, if it is newer than the list.
  const ProviderInstance* findNewer(const Machine& listed) const;

  const FlySwarm& swarm_;
  MachineCache& cache_;
  Organization& organization_;
  MachineFinder& machines_;
  const Watch& watch_;
};

}  // namespace swarm::flyio
