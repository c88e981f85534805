// Skeleton: follows in the next commits.
#include "emulator/memory/memory_backend.h"

#include "base/error.h"

namespace swarm::emulator {
BackendPtr makeMemoryBackend(net::Executor, const Clock&, MemoryOptions) {
  throw Error(ErrorCode::Unsupported, "The memory backend is not written yet.");
}
}  // namespace swarm::emulator
