// The state of the volumes of an instance without a container: always queried, never assumed.
#pragma once

#include "controller/state/context.h"

namespace swarm::control {

/// The status reason of an instance whose container was removed at its provider, after a query for its volumes. Does not throw when the
/// provider is unreachable.
awaitable<std::string> describeMissingContainer(const Context& context, EntryPtr entry);

/// Throws Error(Conflict), with the next steps, when a volume that had files of the instance does not exist and `spec` does not accept an
/// empty one instead.
awaitable<void> requireVolumes(const Context& context, EntryPtr entry, InstanceSpec spec, Deadline deadline);

}  // namespace swarm::control
