// The memory backend as the tests of the Fly provider use it.
#pragma once

#include "async/awaitable.h"
#include "conformance/provider/fly/fly_world.h"

namespace swarm::testing {

/// Simulated Machines with the one thing that an agent does for storage: what is at the first storage's mount path is on the volume. Every
/// image exists but the one that the suite calls unknown.
emulator::BackendPtr makeTestMemoryBackend(async::Executor executor, const Clock& clock);

}  // namespace swarm::testing
