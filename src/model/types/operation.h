// Operation: an operation and its steps.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "model/types/ids.h"

namespace swarm {

enum class OperationKind { create, start, stop, restart, update, remove, migrate, snapshot, restore };
BOOST_DESCRIBE_ENUM(OperationKind, create, start, stop, restart, update, remove, migrate, snapshot, restore)
enum class OperationStatus { pending, running, succeeded, failed, cancelled };
BOOST_DESCRIBE_ENUM(OperationStatus, pending, running, succeeded, failed, cancelled)

/// One named part of an operation. Times are zero until it begins or ends.
struct OperationStep {
  std::string name;  ///< "pull image", "create container", "wait until VS Code responds"
  OperationStatus status = OperationStatus::pending;
  SystemTime startedAt{};
  SystemTime endedAt{};
  std::string detail;  ///< "layer 3 of 7"
  std::int64_t bytesDone = 0;
  std::int64_t bytesTotal = 0;
  std::int64_t filesDone = 0;
  std::int64_t filesTotal = 0;
  std::int64_t bytesPerSecond = 0;
};

struct Operation {
  std::string id;  ///< "op-…"
  OperationKind kind = OperationKind::create;
  InstanceId instanceId;
  std::string instanceName;
  std::string owner;  ///< the instance's owner
  std::string actor;  ///< the user that requested it
  OperationStatus status = OperationStatus::pending;
  SystemTime createdAt{};
  SystemTime updatedAt{};
  SystemTime endedAt{};
  std::vector<OperationStep> steps;
  std::optional<Error> error;
};

}  // namespace swarm
