// Regions: where Machines can be created.
#pragma once

#include "async/lock/keyed_lock.h"
#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/spec/machine_spec.h"

namespace swarm::flyio {

class Regions {
 public:
  explicit Regions(MachinesClient& client) : client_(client) {}

  /// Fills in the nearest region where the plan has none. Throws Error(Unprocessable) for a region that Fly does not have.
  awaitable<void> choose(InstancePlan& plan, Deadline deadline);
  awaitable<void> refresh(Deadline deadline);
  const RegionList& known() const { return known_; }  ///< as last read; empty before

 private:
  MachinesClient& client_;
  async::KeyedLock lock_;
  RegionList known_;
};

}  // namespace swarm::flyio
