// Runs the suite against the emulator with containers for Machines. The image does with the agent's file what the agent does: it binds each
// storage to its place.
#include "async/awaitable.h"
#include "conformance/provider/fly/fly_fixture.h"
#include "conformance/provider/fly/fly_image.h"
#include "emulator/docker/docker_backend.h"

namespace swarm::testing {
namespace {

std::unique_ptr<ProviderFixture> makeFixture(CoroutineRunner& runner) {
  std::string emulator_id = "test-" + toHex(randomBytes(4));
  MakeBackend make = [emulator_id](async::Executor, const Clock&) {
    emulator::DockerBackendOptions options;
    options.engine = testEngineConfig();
    options.emulatorId = emulator_id;
    options.guestTool = SWARM_TEST_GUEST_TOOL;
    return emulator::makeDockerBackend(std::move(options));
  };
  return std::make_unique<FlyFixture>(runner, make, ensureFlyImage(runner), FlyFixture::flyDeviations());
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(FlyDocker, ProviderSuite, ::testing::Values(NamedFixture{"fly_docker", makeFixture}));

}  // namespace swarm::testing
