// The Docker provider's fixture.
#include "conformance/provider/docker/docker_fixture.h"

#include "base/id.h"

namespace swarm::testing {

DockerFixture::DockerFixture(CoroutineRunner& runner, DockerProviderConfig config)
    : config_(config), engine_(runner, std::move(config)), swarm_id_(newId("test")), image_(engine_.ensureImage()) {}

DockerFixture::~DockerFixture() {
  try {
    engine_.removeAll(swarm_id_);
    engine_.untag(swarm_id_);
    EXPECT_EQ(engine_.leftovers(swarm_id_), std::vector<std::string>{}) << "the test left something at the Engine";
  } catch (const std::exception& error) {
    ADD_FAILURE() << "cleaning up failed: " << error.what();
  }
}

ProviderPtr DockerFixture::makeProvider() { return makeDockerProvider(config_, swarm_id_); }

void DockerFixture::removeBehindBack(const PlaceId& place_id) {
  engine_.send("DELETE", "/containers/" + engine_.containerOf(swarm_id_, place_id) + "?force=true");
}

void DockerFixture::killBehindBack(const PlaceId& place_id) { engine_.endWithFailure(swarm_id_, place_id); }

}  // namespace swarm::testing
