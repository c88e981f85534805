// UsageSampler: what an instance uses: CPU from two samples, memory without the page cache, storage by du in its volumes, and its traffic.
#pragma once

#include <map>
#include <string>

#include "provider/docker/docker_parts.h"

namespace swarm::docker {

class UsageSampler {
 public:
  explicit UsageSampler(DockerParts& parts) : parts_(parts) {}

  awaitable<ResourceUsage> sample(PlaceId place_id, UsageDepth depth, Deadline deadline);
  void forget(const PlaceId& place_id) { storage_.erase(place_id); }

 private:
  struct CpuSample {
    double nanoseconds = 0;
    SystemTime at{};
  };
  struct StorageSample {
    double gib = 0;
    SteadyTime at{};
  };
  awaitable<json::value> statistics(PlaceId place_id, Deadline deadline);
  awaitable<double> cpuPercent(PlaceId place_id, const json::value& first, Deadline deadline);
  awaitable<double> storageGib(PlaceId place_id, const ContainerDetails& details, UsageDepth depth, Deadline deadline);

  DockerParts& parts_;
  std::map<std::string, CpuSample> cpu_;  ///< by container; those that are too old are removed
  std::map<PlaceId, StorageSample> storage_;
};

}  // namespace swarm::docker
