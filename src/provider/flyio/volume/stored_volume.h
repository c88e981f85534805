// Where the files of one StorageConfig are and which instance uses them; or a volume that holds no storage.
#pragma once

#include <optional>
#include <string>

#include "provider/flyio/flyio_provider.h"

namespace swarm::flyio {

struct FlyIOProvider::Stored {
  StorageEntry entry;
  std::string app;
  std::string volumeId;  ///< empty: unknown
  std::string usedBy;    ///< instance id; empty: unused
  SystemTime createdAt{};
  bool isStray = false;          ///< the volume holds no storage; the entry describes the volume itself
  std::optional<Error> trouble;  ///< why no volume may be mounted for it
};

}  // namespace swarm::flyio
