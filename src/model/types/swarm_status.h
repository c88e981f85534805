// SwarmStatus: the state of the server and of its providers.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "model/types/instance_config.h"
#include "model/types/provider_type.h"

namespace swarm {

struct ProviderCapabilities {
  bool supportsLiveResize = false;
  bool supportsSnapshotting = false;
  bool supportsMultiRegion = false;
  bool enforcesStorage = true;   ///< false: the size of a storage limits nothing, and is only what usage is shown against
  bool keepsFilesAtStop = true;  ///< false: a stop keeps only the files in volumes
  bool limitsEgress = false;     ///< network.egress is supported
  bool networkPerOwner = false;  ///< the instances of one owner reach each other, and those of others do not
  std::vector<std::string> supportedRegions;
  std::int64_t maxInstancesPerUser = 0;  ///< 0: no limit of the provider's
  ResourceConfig maxResourcesPerInstance;
};
BOOST_DESCRIBE_STRUCT(ProviderCapabilities, (),
                      (supportsLiveResize, supportsSnapshotting, supportsMultiRegion, enforcesStorage, keepsFilesAtStop, limitsEgress,
                       networkPerOwner, supportedRegions, maxInstancesPerUser, maxResourcesPerInstance))

/// JSON "healthy", "degraded", "unavailable".
enum class ProviderHealth { healthy, degraded, unavailable };
BOOST_DESCRIBE_ENUM(ProviderHealth, healthy, degraded, unavailable)

struct UsedTotal {
  double used = 0;
  double total = 0;
};
BOOST_DESCRIBE_STRUCT(UsedTotal, (), (used, total))
struct SwarmResourceUsage {
  UsedTotal cpu;      ///< cores
  UsedTotal memory;   ///< MiB
  UsedTotal storage;  ///< GiB
};
BOOST_DESCRIBE_STRUCT(SwarmResourceUsage, (), (cpu, memory, storage))
struct ProviderStatus {
  ProviderType type = ProviderType::docker;
  ProviderHealth status = ProviderHealth::healthy;
  std::int64_t instances = 0;
  std::string detail;  ///< why it is not healthy
};
BOOST_DESCRIBE_STRUCT(ProviderStatus, (), (type, status, instances, detail))
struct SwarmStatus {
  std::int64_t totalInstances = 0;
  std::int64_t runningInstances = 0;
  std::int64_t stoppedInstances = 0;
  std::int64_t failedInstances = 0;
  SwarmResourceUsage resourceUsage;
  std::vector<ProviderStatus> providers;
};
BOOST_DESCRIBE_STRUCT(SwarmStatus, (), (totalInstances, runningInstances, stoppedInstances, failedInstances, resourceUsage, providers))

}  // namespace swarm
