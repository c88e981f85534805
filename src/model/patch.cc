// Applies patches.
#include "model/patch.h"

namespace swarm {
namespace {

template <typename T>
void set(const std::optional<T>& change, T& member) {
  if (change) member = *change;
}

}  // namespace

void apply(const ResourcePatch& patch, ResourceConfig& resources) {
  if (patch.cpu) {
    set(patch.cpu->cores, resources.cpu.cores);
    set(patch.cpu->limit, resources.cpu.limit);
  }
  if (patch.memory) {
    set(patch.memory->min, resources.memory.min);
    set(patch.memory->max, resources.memory.max);
  }
  if (patch.storage) {
    set(patch.storage->size, resources.storage.size);
    set(patch.storage->persistent, resources.storage.persistent);
  }
  set(patch.pids, resources.pids);
}

}  // namespace swarm
