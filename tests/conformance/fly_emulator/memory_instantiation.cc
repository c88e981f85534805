// The suite against the memory backend.
#include "conformance/fly_emulator/memory_instantiation.h"
#include "async/awaitable.h"

#include "emulator/memory/memory_backend.h"

namespace swarm::testing {

std::vector<FlyBackend> memoryBackends() {
  FlyBackend backend;
  backend.name = "memory";
  backend.make = [](async::Executor executor, const Clock& clock) { return emulator::makeMemoryBackend(std::move(executor), clock); };
  backend.image = [] { return "alpine"; };
  return {backend};
}

INSTANTIATE_TEST_SUITE_P(Fly, FlyRules, ::testing::ValuesIn(memoryBackends()), flyBackendName);
INSTANTIATE_TEST_SUITE_P(Fly, FlyProcesses, ::testing::ValuesIn(memoryBackends()), flyBackendName);

}  // namespace swarm::testing
