// What there is in an app: its volumes, told apart, and its record of them.
#pragma once

#include <algorithm>
#include <vector>

#include "provider/flyio/flyio_provider.h"

namespace swarm::flyio {

struct FlyIOProvider::AppVolumes {
  std::vector<Volume> all;  ///< readers' too
  StorageRecord record;
  VolumeChoice choice;
  /// Of the next copy: its name is free.
  int nextGeneration() const {
    int next = 1;
    for (const Volume& volume : all) next = std::max(next, generationOf(volume) + 1);
    return next;
  }
};

}  // namespace swarm::flyio
