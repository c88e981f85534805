// MachineFinder: finds the Machine of an instance, and reads it again. One empty list or one 404 proves nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "provider/flyio/machine/machine_cache.h"
#include "provider/flyio/watch/organization.h"

namespace swarm::flyio {

class MachineFinder {
 public:
  MachineFinder(MachinesClient& client, const FlySwarm& swarm, MachineCache& cache, Organization& organization)
      : client_(client), swarm_(swarm), cache_(cache), organization_(organization) {}

  /// All Machines of an app that are not gone; an empty list counts only when the app's own count agrees.
  awaitable<std::vector<Machine>> listIn(std::string app, Deadline deadline);
  awaitable<std::optional<Machine>> findIn(std::string app, PlaceId place_id, Deadline deadline);
  awaitable<std::optional<Machine>> find(PlaceId place_id, Deadline deadline);
  awaitable<Machine> require(PlaceId place_id, Deadline deadline);   ///< throws NotFound
  awaitable<Machine> readAgain(Machine machine, Deadline deadline);  ///< destroyed when it is gone
  /// Adds to `machines` those of `recorded` that the list of the app lacks, looked up by their ids.
  awaitable<void> addRecorded(std::vector<Machine>& machines, std::string app, const std::vector<ExternalResource>& recorded,
                              Deadline deadline);

 private:
  MachinesClient& client_;
  const FlySwarm& swarm_;
  MachineCache& cache_;
  Organization& organization_;
};

/// Records a Machine that was found, and its volume.
awaitable<void> recordFound(const Machine& machine, Progress& progress);

}  // namespace swarm::flyio
