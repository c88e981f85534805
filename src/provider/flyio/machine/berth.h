// What a Machine is created from, except region and host. The first creation and the move to another host share it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "provider/flyio/flyio_provider.h"

namespace swarm::flyio {

struct FlyIOProvider::Berth {
  std::string app;
  std::string instanceId;
  json::object config;  ///< without the mount
  Guest guest;
  std::int64_t volumeGb = 0;
  std::optional<Volume> source;        ///< has the files; new volumes are forks of it
  std::string snapshotId;              ///< or this snapshot has the files; then the volumes are a reader's
  std::set<std::string> knownVolumes;  ///< existed before; another volume of the name was created by this call
  std::vector<std::string> regions;    ///< in this order
  int machineGeneration = 0;
  int volumeGeneration = 0;  ///< of the volumes that are created
  std::int64_t secretsVersion = 0;
};

}  // namespace swarm::flyio
