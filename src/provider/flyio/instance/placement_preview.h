// PlacementPreviewer: what a create would make, without creating anything.
#pragma once

#include <string>

#include "provider/flyio/instance/instance_creator.h"

namespace swarm::flyio {

class PlacementPreviewer {
 public:
  PlacementPreviewer(MachinesClient& client, const FlySwarm& swarm, MachineFinder& machines, InstanceCreator& creator)
      : client_(client), swarm_(swarm), machines_(machines), creator_(creator) {}

  awaitable<PlacementPreview> preview(InstanceSpec spec, Deadline deadline);

 private:
  awaitable<void> checkImageOf(PlacementPreview& preview, Deadline deadline);
  awaitable<void> checkCapacity(const InstancePlan& plan, PlacementPreview& preview, Deadline deadline);

  MachinesClient& client_;
  const FlySwarm& swarm_;
  MachineFinder& machines_;
  InstanceCreator& creator_;
};

}  // namespace swarm::flyio
