// Runs the suite against a real Engine.
#include "conformance/provider/docker/docker_fixture.h"

namespace swarm::testing {

INSTANTIATE_TEST_SUITE_P(Docker, ProviderSuite,
                         ::testing::Values(NamedFixture{"docker", [](CoroutineRunner& runner) -> std::unique_ptr<ProviderFixture> {
                                                          return std::make_unique<DockerFixture>(runner);
                                                        }}));

}  // namespace swarm::testing
