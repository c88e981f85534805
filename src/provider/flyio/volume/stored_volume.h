// What is known of one StorageConfig's files, or of a volume that holds none: where they are, and which instance uses them.
#pragma once

#include <optional>
#include <string>

#include "provider/flyio/flyio_provider.h"

namespace swarm::flyio {

struct FlyIOProvider::Stored {
  StorageEntry entry;
  std::string app;
  std::string volumeId;  ///< empty: it is not known which one
  std::string usedBy;    ///< instance; empty: it is free
  SystemTime createdAt{};
  bool isStray = false;          ///< the entry was made up for a volume that holds no storage
  std::optional<Error> trouble;  ///< why no volume may be mounted for it
};

}  // namespace swarm::flyio
