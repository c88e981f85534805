// What is known of one StorageConfig's files: where they are, and who uses them.
#pragma once

#include <string>

#include "provider/flyio/flyio_provider.h"

namespace swarm::flyio {

struct FlyIOProvider::Stored {
  StorageEntry entry;
  std::string app;
  std::string volumeId;
  std::string usedBy;  ///< instance; empty: nobody
  SystemTime createdAt{};
};

}  // namespace swarm::flyio
