// What is known of the volumes of an instance whose container is gone: looked for, never assumed.
#pragma once

#include "controller/state/core.h"

namespace swarm::control {

/// What to tell of an instance whose container was removed at its provider, after a look for its volumes. Does not throw for a provider
/// that cannot be asked.
awaitable<std::string> describeMissingContainer(Core& core, EntryPtr entry);

/// Throws Error(Conflict), with what can be done, when a volume that had files of the instance is gone and `spec` does not ask for empty
/// ones in such places.
awaitable<void> requireVolumes(Core& core, EntryPtr entry, InstanceSpec spec, Deadline deadline);

}  // namespace swarm::control
