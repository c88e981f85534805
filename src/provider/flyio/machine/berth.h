// What a Machine is made from, apart from its place: shared by the first creation and by the move to another host.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "provider/flyio/flyio_provider.h"

namespace swarm::flyio {

struct FlyIOProvider::Berth {
  std::string app;
  std::string instanceId;
  json::object config;  ///< its mount is replaced
  Guest guest;
  std::int64_t volumeGb = 0;
  std::optional<Volume> source;        ///< has the files: new volumes are forks of it
  std::string snapshotId;              ///< or this one has them; its volumes are a reader's
  std::set<std::string> knownVolumes;  ///< were there before; another one of the name is ours
  std::vector<std::string> regions;    ///< in this order
  int machineGeneration = 0;
  int volumeGeneration = 0;  ///< of the volumes that are made
  std::int64_t secretsVersion = 0;
};

}  // namespace swarm::flyio
