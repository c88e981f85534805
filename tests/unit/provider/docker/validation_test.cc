// What validation checks at the Engine.
#include <gmock/gmock.h>

#include "base/text/format.h"
#include "provider/docker/docker_config.h"
#include "unit/provider/docker/fake_engine.h"

namespace swarm::docker {
namespace {

TEST(DockerValidation, looksForTheImageThatNewWorkspacesGet) {
  test::TestLoop loop;
  FakeEngine engine(loop);
  engine.respond("GET /_ping", "OK");
  RealClock clock;
  ProviderSetupPtr setup = makeDockerSetup();
  setup->readVariables(Variables({{"DOCKER_HOST", format("tcp://127.0.0.1:{}", engine.config().port)}}));
  ProviderPtr provider = setup->make({"s1", {}, "team/box:7", clock});
  std::vector<std::string> images;
  for (const ValidationCheck& check : loop.run(provider->validate(Deadline::after(std::chrono::seconds(20)))))
    if (check.name.starts_with("image ")) images.push_back(check.name + (check.ok ? ": " : " failed: ") + check.detail);
  EXPECT_THAT(images, testing::ElementsAre("image team/box:7: The Docker Engine has the image team/box:7."));
}

}  // namespace
}  // namespace swarm::docker
