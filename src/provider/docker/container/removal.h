// Removal: deleteInstance, and what makes its result true: afterwards nothing of the instance can appear, or it is swept when it does.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "provider/docker/docker_parts.h"

namespace swarm::docker {

class Removal {
 public:
  explicit Removal(DockerParts& parts) : parts_(parts) {}

  awaitable<void> deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external, Progress& progress,
                                 Deadline deadline);
  /// Waits until what the Engine may still create of this instance exists.
  awaitable<void> settle(InstanceSpec spec, Deadline deadline);
  awaitable<std::vector<std::string>> sweep(std::vector<Departure> gone, Deadline deadline);

 private:
  awaitable<void> removeContainersOf(PlaceId place_id, std::set<std::string>& mounted, Deadline deadline);
  awaitable<void> claimName(PlaceId place_id, std::string name, Deadline deadline);

  DockerParts& parts_;
};

}  // namespace swarm::docker
