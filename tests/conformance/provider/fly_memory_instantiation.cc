// Runs the suite against the emulator with simulated Machines.
#include "conformance/provider/fly_fixture.h"
#include "conformance/provider/fly_memory_backend.h"

namespace swarm::testing {
namespace {

std::unique_ptr<ProviderFixture> makeFixture(CoroutineRunner& runner) {
  Deviations deviations = FlyFixture::flyDeviations();
  deviations.runsRealCommands = false;
  return std::make_unique<FlyFixture>(runner, makeTestMemoryBackend, "workspace", deviations);
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(FlyMemory, ProviderSuite, ::testing::Values(NamedFixture{"fly_memory", makeFixture}));

}  // namespace swarm::testing
