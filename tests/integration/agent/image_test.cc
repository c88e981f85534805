// The agent as process 1 of the real workspace image: VS Code through its tunnels, restarts, orphans, storage, and the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>

#include "agent/client.h"
#include "base/format.h"
#include "base/id.h"
#include "integration/agent/engine.h"
#include "net/deadline.h"
#include "net/websocket.h"

namespace swarm::agent {
namespace {
using test::Container;
using test::TestLoop;

constexpr std::chrono::seconds kPatience{60};
constexpr std::string_view kHost = "work.localhost";

std::string imageName() {
  const char* image = std::getenv("SWARM_TEST_IMAGE");
  return image ? image : "swarm-workspace:latest";
}

std::string thisBuildsAgent() {
  std::ifstream file(SWARM_TEST_AGENT, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class AgentInImage : public testing::Test {
 protected:
  static constexpr std::string_view kInstance = "i-agent-image-test";

  AgentInImage() : container_(loop_, containerConfig(), files()) {
    container_.start();
    port_ = container_.publishedPort(kPort);
    // The Engine's proxy takes connections before the agent does.
    waitUntil([](const AgentHealth&) { return true; });
  }
  void TearDown() override {
    if (HasFailure()) std::fprintf(stderr, "the container's log:\n%s\n", container_.logs().c_str());
  }

  static boost::json::object containerConfig() {
    boost::json::object ports{{"7777/tcp", boost::json::array{boost::json::object{{"HostIp", "127.0.0.1"}, {"HostPort", ""}}}}};
    boost::json::object host{{"PortBindings", ports}, {"Tmpfs", boost::json::object{{"/data", "mode=0755"}}}};
    return {{"Image", imageName()},
            {"Env", boost::json::array{"SWARM_OURS=hidden", "THEIRS=visible"}},
            {"Labels", boost::json::object{{"swarm.test", "agent"}}},
            {"ExposedPorts", boost::json::object{{"7777/tcp", boost::json::object{}}}},
            {"HostConfig", host}};
  }
  std::vector<test::FileInContainer> files() const {
    std::string config = format(R"({{"instanceId":"{}","secret":"{}","mounts":["/data"]}})", kInstance, toHex(secret_.reveal()));
    return {{"etc/swarm/agent.json", config, 0644}, {"usr/local/bin/swarm-agent", thisBuildsAgent(), 0755}};
  }

  AgentTarget target() const {
    return {std::string(kInstance), secret_,
            [port = port_](Deadline deadline) { return net::connectTcp(net::HostPort{"127.0.0.1", port}, deadline); }};
  }
  Deadline soon() const { return Deadline::after(kPatience); }

  AgentHealth waitUntil(std::function<bool(const AgentHealth&)> holds) {
    return loop_.run(
        [](AgentTarget where, std::function<bool(const AgentHealth&)> good) -> awaitable<AgentHealth> {
          for (;;) {
            std::optional<AgentHealth> health;
            try {
              health = co_await getHealth(where, Deadline::after(std::chrono::seconds(5)));
            } catch (const Error&) {
              // The agent itself is still starting.
            }
            if (health && good(*health)) co_return *health;
            co_await net::sleepFor(std::chrono::milliseconds(20));
          }
        }(target(), std::move(holds)),
        kPatience);
  }
  /// Waits until VS Code is ready, in another process than that of `old_generation`.
  AgentHealth waitUntilReady(std::string old_generation = "") {
    return waitUntil([old = std::move(old_generation)](const AgentHealth& health) { return health.ready && health.generation != old; });
  }
  CommandResult run(std::string script, std::string user = "coder") {
    ExecRequest request;
    request.command = {"sh", "-c", std::move(script)};
    request.user = std::move(user);
    return loop_.run(agent::exec(target(), request, soon()), kPatience);
  }
  net::HttpResponse getFromVscode(std::string path) {
    net::HttpRequest request;
    request.target = std::move(path);
    return loop_.run(
        [](AgentTarget where, net::HttpRequest what) -> awaitable<net::HttpResponse> {
          net::HttpClientOptions options;
          options.host = kHost;
          net::HttpClient client([where](Deadline deadline) { return openVscodeTunnel(where, deadline); }, options);
          co_return co_await client.send(std::move(what), Deadline::after(kPatience));
        }(target(), std::move(request)),
        kPatience);
  }
  /// The page of a folder, with its redirects followed.
  std::string workbench() {
    auto answer = getFromVscode("/");
    if (answer.status == 302) {
      std::string where(net::findHeader(answer.headers, "Location"));
      answer = getFromVscode(where.substr(where.find('/')));
    }
    EXPECT_EQ(answer.status, 200);
    return answer.body;
  }

  TestLoop loop_;
  Secret secret_{randomBytes(32)};
  Container container_;
  std::uint16_t port_ = 0;
};

TEST_F(AgentInImage, servesTheWorkbenchAndItsWebSocketThroughTheTunnel) {
  EXPECT_NE(waitUntilReady().generation, "");
  std::string page = workbench();
  EXPECT_THAT(page, testing::HasSubstr("workbench"));
  auto at = page.find("stable-");
  ASSERT_NE(at, std::string::npos);
  std::string path = "/" + page.substr(at, page.find_first_of("/\"'&", at) - at) +
                     "?reconnectionToken=8d0d5bd5-7b0f-4b1d-9c3a-0e6f4e2a9a11&reconnection=false&skipWebSocketFrames=false";
  auto socket = loop_.run(
      [](AgentTarget where, std::string what) -> awaitable<std::unique_ptr<net::WebSocket>> {
        auto deadline = Deadline::after(kPatience);
        auto tunnel = co_await openVscodeTunnel(where, deadline);
        net::Headers headers{{"Origin", "http://" + std::string(kHost)}};
        co_return co_await net::openWebSocket(std::move(tunnel), std::string(kHost), what, headers, deadline);
      }(target(), path),
      kPatience);
  EXPECT_TRUE(socket);
  EXPECT_GE(loop_.run(getActivity(target(), soon())).connections, 1);
}

TEST_F(AgentInImage, runsCommandsAsTheUserInItsHomeWithoutOurVariables) {
  auto result =
      run("id -un; id -gn; pwd; echo $HOME $LANG $THEIRS$SWARM_OURS; command -v code-server; cat /etc/swarm/agent.json || echo closed");
  EXPECT_THAT(result.stdoutText,
              testing::StartsWith("coder\ncoder\n/home/coder\n/home/coder C.UTF-8 visible\n/opt/swarm/bin/code-server\n"));
  EXPECT_THAT(result.stdoutText, testing::HasSubstr("closed")) << "the instance's secret is not the user's to read";
  EXPECT_EQ(run("id -un", "root").stdoutText, "root\n");
  EXPECT_EQ(run("stat -c '%a %U' /etc/swarm/agent.json", "root").stdoutText, "400 root\n");
}

TEST_F(AgentInImage, vscodeThatIsKilledComesBackAsANewGeneration) {
  auto first = waitUntilReady();
  run("for p in /proc/[0-9]*; do grep -qs 'entry[.]js' $p/cmdline && kill -9 ${p#/proc/}; done; true");
  auto second = waitUntilReady(first.generation);
  EXPECT_NE(second.generation, first.generation);
  EXPECT_THAT(workbench(), testing::HasSubstr("workbench"));
}

TEST_F(AgentInImage, orphansAreReaped) {
  auto made = run("for n in 1 2 3 4 5; do (setsid sh -c 'exit 0' &); done; (sleep 0.2 &) ; true");
  EXPECT_EQ(made.exitCode, 0);
  std::string zombies = "?";
  for (auto end = soon(); !zombies.empty() && !end.hasPassed();)
    zombies = run("grep -ls '^State:.*Z' /proc/[0-9]*/status || true").stdoutText;
  EXPECT_EQ(zombies, "");
}

TEST_F(AgentInImage, freshStorageBelongsToTheUser) {
  auto result = run("touch /data/mine && stat -c %U /data && touch ~/mine && echo yes");
  EXPECT_EQ(result.stdoutText, "coder\nyes\n") << result.stderrText;
}

TEST_F(AgentInImage, measuresItself) {
  waitUntilReady();
  auto usage = loop_.run(getUsage(target(), soon()), kPatience);
  EXPECT_GT(usage.memory.usage, 1);
  EXPECT_GT(usage.memory.limit, usage.memory.usage);
  EXPECT_GT(usage.cpu.limit, 0);
  EXPECT_GT(usage.storage.usage, 0);
}

TEST_F(AgentInImage, stopsWithZeroThoughAShellDoesNotListen) {
  waitUntilReady();
  // Shells on a terminal ignore SIGTERM, and this one SIGHUP too.
  run("nohup setsid sh -c \"trap '' TERM HUP; while :; do sleep 1; done\" >/dev/null 2>&1 &");
  container_.stop(10);
  EXPECT_EQ(container_.exitCode(), 0) << "137 would be the Engine's SIGKILL after 10 s";
}

}  // namespace
}  // namespace swarm::agent
