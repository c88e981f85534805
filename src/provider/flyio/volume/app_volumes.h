// The volumes of an app, sorted by role, and the app's record of them.
#pragma once

#include <algorithm>
#include <vector>

#include "provider/flyio/flyio_provider.h"

namespace swarm::flyio {

struct FlyIOProvider::AppVolumes {
  std::vector<Volume> all;  ///< readers' too
  StorageRecord record;
  VolumeChoice choice;
  /// Generation of the next copy; no volume has its name.
  int nextGeneration() const {
    int next = 1;
    for (const Volume& volume : all) next = std::max(next, generationOf(volume) + 1);
    return next;
  }
};

}  // namespace swarm::flyio
