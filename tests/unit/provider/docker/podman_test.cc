// podman 4.3 as the Engine, by its recorded responses: it changes no limits of a running container, and some events have other names.
#include <gmock/gmock.h>

#include "provider/docker/docker_provider.h"
#include "unit/provider/docker/fake_engine.h"

namespace swarm::docker {
namespace {

TEST(Podman, changesLimitsOnlyWithARestartAndReportsWhatWasRemovedByHand) {
  test::TestLoop loop;
  FakeEngine engine(loop);
  engine.respond("GET /version", R"({"Components":[{"Name":"Podman Engine","Version":"4.3.1"},{"Name":"Conmon","Version":"2.1.6"}],)"
                                 R"("Version":"4.3.1","ApiVersion":"1.41","MinAPIVersion":"1.24"})");
  engine.respond("GET /events", R"({"status":"remove","id":"c1","Type":"container","Action":"remove",)"
                                R"("Actor":{"ID":"c1","Attributes":{"swarm.instance":"i-1"}}})"
                                "\n");
  DockerProvider provider(engine.config(), "s1");
  bool was_removed = false;
  loop.run(provider.open([&](const ProviderEvent& event) {
    if (event.kind != ProviderEvent::Kind::Removed || event.placeId != PlaceId("i-1")) return;
    was_removed = true;
    EXPECT_FALSE(provider.getProviderCapabilities().supportsLiveResize);
  }));
  loop.runUntil([&] { return was_removed; });
  EXPECT_TRUE(engine.hasReceived("%22died%22") && engine.hasReceived("%22remove%22")) << "its filter takes only its own names";
  loop.run(provider.close());
}

}  // namespace
}  // namespace swarm::docker
