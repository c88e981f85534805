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

TEST(DockerValidation, reportsWhetherWorkspacesOfARemoteEngineCanBeReached) {
  test::TestLoop loop;
  FakeEngine engine(loop);
  engine.respond("GET /_ping", "OK");
  const auto agents = [&](std::string host, std::string address) -> std::string {
    DockerProviderConfig config = engine.config();
    config.host = std::move(host);
    config.agentPublishAddress = std::move(address);
    ProviderPtr provider = makeDockerProvider(config, "s1");
    for (const ValidationCheck& check : loop.run(provider->validate(Deadline::after(std::chrono::seconds(20)))))
      if (check.name == "agents") return (check.ok ? "" : "failed: ") + check.detail;
    return "no check";
  };
  EXPECT_EQ(agents("127.0.0.1", "127.0.0.1"), "no check");
  // A name that counts as another machine, and leads to this one.
  EXPECT_EQ(agents("engine.localhost", "10.0.0.2"), "this server reaches workspaces at engine.localhost, with TLS");
  EXPECT_THAT(agents("engine.localhost", "127.0.0.1"),
              testing::StartsWith("failed: The ports of workspaces are published at 127.0.0.1 on"));
}

TEST(DockerValidation, namesTheWorkspacesWhoseAgentsHaveNoTls) {
  test::TestLoop loop;
  FakeEngine engine(loop);
  engine.respond("GET /_ping", "OK");
  std::string listed;
  for (int i = 1; i <= 7; ++i)
    listed += format(R"({}{{"Id":"c{}","Labels":{{"swarm.instance":"i-{}","swarm.name":"web{}","swarm.agent.tls":"{}"}}}})",
                     i == 1 ? "" : ",", i, i, i, i == 7 ? "true" : "");
  engine.respond("GET /containers/json", "[" + listed + "]");
  DockerProviderConfig config = engine.config();
  config.agentTls = AgentTls::required;
  const auto agents = [&]() -> std::string {
    ProviderPtr provider = makeDockerProvider(config, "s1");
    for (const ValidationCheck& check : loop.run(provider->validate(Deadline::after(std::chrono::seconds(20)))))
      if (check.name == "agents") return (check.ok ? "" : "failed: ") + check.detail;
    return "no check";
  };
  EXPECT_THAT(agents(),
              testing::StartsWith("failed: this server reaches workspaces at 127.0.0.1, with TLS; warning: web1, web2, web3, web4, "
                                  "web5 and 1 more have an agent without TLS, which agentTls refuses."));
  config.agentTls = AgentTls::remote;
  config.host = "engine.localhost";
  config.agentPublishAddress = "10.0.0.2";
  EXPECT_THAT(agents(), testing::AllOf(testing::StartsWith("this server reaches workspaces at engine.localhost, with TLS; warning: web1"),
                                       testing::HasSubstr("whose traffic can be read on the network"),
                                       testing::HasSubstr("`swarm update NAME --refresh-image`")));
}

}  // namespace
}  // namespace swarm::docker
