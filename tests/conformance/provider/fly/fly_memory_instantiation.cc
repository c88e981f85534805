// Runs the suite against the emulator with simulated Machines.
#include "conformance/provider/fly/fly_fixture.h"
#include "conformance/provider/fly/fly_memory_backend.h"

namespace swarm::testing {
namespace {

std::unique_ptr<ProviderFixture> makeFixture(CoroutineRunner& runner, Transport transport) {
  Deviations deviations = FlyFixture::flyDeviations();
  deviations.runsRealCommands = false;
  return std::make_unique<FlyFixture>(runner, makeTestMemoryBackend, "workspace", deviations, transport);
}

std::unique_ptr<ProviderFixture> makePlain(CoroutineRunner& runner) { return makeFixture(runner, Transport::Plain); }
std::unique_ptr<ProviderFixture> makeTls(CoroutineRunner& runner) { return makeFixture(runner, Transport::Tls); }

}  // namespace

INSTANTIATE_TEST_SUITE_P(FlyMemory, ProviderSuite, ::testing::Values(NamedFixture{"fly_memory", makePlain}));
INSTANTIATE_TEST_SUITE_P(FlyMemoryByTls, ProviderSuite, ::testing::Values(NamedFixture{"fly_memory_tls", makeTls}));

}  // namespace swarm::testing
