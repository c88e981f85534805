// Updates an instance's record from a provider's report.
#pragma once

#include "controller/state/context.h"

namespace swarm::control {

/// Whether it runs the instance's processes: another one has another root file system.
inline bool isMachine(const ExternalResource& resource) {
  return resource.kind == ResourceKind::container || resource.kind == ResourceKind::machine;
}

/// Adopts addresses, limits and ids; not the status.
void adoptFacts(const Context& context, Entry& entry, const ProviderInstance& observed);

/// Makes the volumes that the image declares storages of the instance: moves, snapshots and archives have the files of its storages only.
/// Throws what the provider throws when it lists volumes, and Error(NotFound) when the instance was deleted in between.
awaitable<void> adoptVolumes(const Context& context, EntryPtr entry);

}  // namespace swarm::control
