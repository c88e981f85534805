// The cases about what runs inside a Machine (tests/conformance/fly_emulator/machines/processes_test.cc), with containers.
#include "async/awaitable.h"
#include "conformance/fly_emulator/fly_suite.h"
#include "conformance/provider/coroutine_runner.h"
#include "conformance/provider/docker/test_engine.h"
#include "emulator/docker/docker_backend.h"

#include "base/id.h"

namespace swarm::testing {
namespace {

/// Not at the program's start: CTest lists the tests on a machine without an Engine, too.
std::string image() {
  CoroutineRunner runner;
  static const std::string made = TestEngine(runner, testEngineConfig()).ensureImage();
  return made;
}

std::vector<FlyBackend> dockerBackends() {
  FlyBackend backend;
  backend.name = "docker";
  backend.image = image;
  backend.make = [](async::Executor, const Clock&) {
    emulator::DockerBackendOptions options;
    options.engine = testEngineConfig();
    options.emulatorId = "suite-" + toHex(randomBytes(4));
    options.guestTool = SWARM_TEST_GUEST_TOOL;
    return emulator::makeDockerBackend(std::move(options));
  };
  return {backend};
}

INSTANTIATE_TEST_SUITE_P(Fly, FlyProcesses, ::testing::ValuesIn(dockerBackends()), flyBackendName);

}  // namespace
}  // namespace swarm::testing
