// The key of an agent's TLS, from the server's side and from the agent's.
#include "controller/agents/agent_settings.h"

#include "base/id.h"
#include "net/http/http_server.h"
#include "protocol/agent_tls.h"
#include "support/coroutine_test.h"
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

class AgentKeys : public ::testing::Test {
 protected:
  AgentKeys() {
    entry_.record.instance.id = InstanceId("i-1");
    entry_.record.agentKey = Secret(toHex(std::string(32, 's')));
  }
  /// An agent that was given the key of `place`, reached as that of `expected`.
  std::string healthOf(const std::string& place, const std::string& expected) {
    net::HttpServerOptions options;
    options.tls = net::makePinnedServer(agent::tlsKeyOf(Secret(std::string(32, 's')), place));
    net::HttpServer server(
        net::listenTcp(loop_.executor(), {"127.0.0.1", 0}),
        [](net::Exchange& exchange) -> net::awaitable<void> {
          co_await exchange.respond(200, {}, R"({"ready":true,"reason":"","generation":"g"})");
        },
        options);
    loop_.spawn(server.run());
    AgentEndpoint endpoint([port = server.port()](Deadline deadline) { return net::connectTcp({"127.0.0.1", port}, deadline); });
    endpoint.tlsPlace = PlaceId(expected);
    std::string outcome;
    try {
      const Deadline soon = Deadline::after(std::chrono::seconds(20));
      outcome = loop_.run(agent::getHealth(control::targetOf(entry_, endpoint), soon)).ready ? "ready" : "not ready";
    } catch (const Error& error) {
      outcome = error.message();
    }
    server.stop();
    return outcome;
  }

  TestLoop loop_;
  control::Entry entry_;
};

TEST_F(AgentKeys, leadToTheAgentOfThatPlaceOnly) {
  EXPECT_EQ(healthOf("i-1", "i-1"), "ready");
  EXPECT_EQ(healthOf("i-2", "i-2"), "ready");
  EXPECT_THAT(healthOf("i-1", "i-2"), testing::HasSubstr("its key is not the expected one")) << "the source of a move is not its target";
}

TEST_F(ControllerTest, anAgentIsGivenTheKeyThatTheServerExpects) {
  boot();
  const Instance one = create("one");
  const InstanceSpec spec = world_.container(firstPlaceOf(one.id))->spec;
  EXPECT_EQ(spec.agentTlsKey.reveal().size(), 32u);
  EXPECT_EQ(spec.agentBoot.find(toHex(spec.agentTlsKey.reveal())), std::string::npos) << "only where the provider adds it";
  const std::string before = spec.agentTlsKey.reveal();
  reboot();
  UpdateRequest request;
  request.refreshImage = true;
  UpdateResult result = run(swarm().updateInstance({"one"}, request, "ann"));
  finish({result.instance, result.operation.value()});
  EXPECT_EQ(world_.container(firstPlaceOf(one.id))->spec.agentTlsKey.reveal(), before) << "of the place, not of the container or the run";
}

}  // namespace
}  // namespace swarm::test
