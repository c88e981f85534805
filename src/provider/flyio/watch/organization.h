// Organization: the swarm's Machines and volumes in the organization's lists. One request lists a thousand; the lists are eventually
// consistent.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/fly_swarm.h"

namespace swarm::flyio {

struct OrganizationMachines {
  std::vector<Machine> machines;  ///< the swarm's: one for each instance, and those that are gone
  bool complete = true;
  std::string lastUpdatedAt;
};

class Organization {
 public:
  Organization(MachinesClient& client, const FlySwarm& swarm) : client_(client), swarm_(swarm) {}

  awaitable<OrganizationMachines> readMachines(MachinesClient::OrgQuery query, Deadline deadline);
  /// All of it; concurrent callers share one read, such as the first poll and the controller's list at a start.
  awaitable<std::shared_ptr<const OrganizationMachines>> readAllMachines(Deadline deadline);
  awaitable<std::vector<Volume>> readVolumes(Deadline deadline);  ///< the swarm's; gone ones and readers' too

 private:
  struct SharedRead;

  MachinesClient& client_;
  const FlySwarm& swarm_;
  std::shared_ptr<SharedRead> shared_read_;  ///< in progress, or null
};

}  // namespace swarm::flyio
