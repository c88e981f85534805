// What a Machine is created from, except region and host. The first creation and the move to another host share it.
#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "provider/flyio/api/fly_errors.h"
#include "provider/flyio/api/machine.h"
#include "provider/flyio/api/volume.h"
#include "provider/flyio/spec/guest_size.h"
#include "provider/flyio/spec/machine_spec.h"

namespace swarm::flyio {

struct MachineOrder {
  std::string app;
  PlaceId placeId;
  boost::json::object config;  ///< without the mount
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

/// Without generations, source and snapshot.
inline MachineOrder orderOf(const InstancePlan& plan) {
  return {.app = plan.app,
          .placeId = plan.placeId,
          .config = plan.config,
          .guest = plan.guest,
          .volumeGb = plan.volumeGb,
          .source = {},
          .snapshotId = {},
          .knownVolumes = {},
          .regions = plan.regions};
}

/// Why a Machine or volume was not made, where another region, host or attempt may succeed.
struct NotMade {
  Shortage shortage = Shortage::None;
  Error error;
};
template <typename T>
using Made = std::expected<T, NotMade>;

}  // namespace swarm::flyio
