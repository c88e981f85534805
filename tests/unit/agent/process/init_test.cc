// The agent as a whole process: from its file to SIGTERM.
#include "agent/process/init.h"
#include "async/deadline.h"
#include "base/error.h"

#include <poll.h>
#include <sys/wait.h>

#include "agent/client/secured.h"
#include "agent/process/process_state.h"
#include "base/text/format.h"
#include "protocol/ed25519.h"
#include "unit/agent/fixture.h"

namespace swarm::agent {
namespace {

/// The agent in a child process, as its main runs it.
class WholeAgent : public LoopTest {
 protected:
  WholeAgent() : users(ownUser(folder)) {}
  ~WholeAgent() override {
    if (pid > 0) {
      // Not SIGKILL: the agent must end the processes that it started.
      ::kill(pid, SIGTERM);
      waitForExit();
    }
  }

  AgentOptions options() {
    AgentOptions made;
    made.config.instanceId = "i-test";
    made.config.key = verifyingKeyOf(key);
    made.listenHost = host;
    made.port = net::listenTcp(context.get_executor(), {host, 0})->port();  // free a moment ago
    made.launcher = {SWARM_TEST_CODE_SERVER};
    made.socketDirectory = folder / "run";
    made.setupMark = folder / "setup.json";
    made.environment = {{"PATH", "/usr/bin:/bin"}};
    made.users = users;
    made.stopPatience = kPatience;
    return made;
  }

  void start(AgentOptions made) {
    port = made.port;
    // The test's reaper must not wait for this child: the test does it.
    children.stop();
    context.run_one();
    // Asio delivers signals through a pipe: the agent needs its own, or this process would receive its SIGCHLD.
    context.notify_fork(asio::io_context::fork_prepare);
    pid = ::fork();
    context.notify_fork(pid == 0 ? asio::io_context::fork_child : asio::io_context::fork_parent);
    if (pid == 0) {
      int code = 1;
      try {
        code = runAgent(std::move(made));
      } catch (const std::exception& error) {
        std::fprintf(stderr, "agent: %s\n", error.what());
      }
      ::_exit(code);
    }
  }

  AgentTarget target() {
    return {InstanceId("i-test"), key, [where = net::HostPort{host, port}](Deadline deadline) { return net::connectTcp(where, deadline); }};
  }

  std::optional<AgentHealth> health() {
    try {
      return await(getHealth(target(), Deadline::after(std::chrono::seconds(5))));
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  void waitUntilReady() {
    auto end = Deadline::after(kPatience);
    while (!end.hasPassed()) {
      if (auto now = health(); now && now->ready) return;
      await(async::sleepFor(std::chrono::milliseconds(10)));
    }
    FAIL() << "never ready";
  }
  void waitForSetup(SetupState state) {
    auto end = Deadline::after(kPatience);
    while (!end.hasPassed()) {
      if (auto now = health(); now && now->setup == state) return;
      await(async::sleepFor(std::chrono::milliseconds(10)));
    }
    FAIL() << "never " << toString(state);
  }
  int waitForExit() {
    int status = -1;
    // Interrupted by SIGCHLD when a process that an earlier test killed ends only now.
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    pid = -1;
    return status;
  }

  SigningKey key{TokenAlgorithm::Ed25519, Secret(std::string(32, 's'))};
  /// An address of this process's own: no other program takes one of its ports in between.
  std::string host = format("127.{}.{}.{}", 1 + ::getpid() % 250, ::getpid() / 250 % 250, 1 + ::getpid() / 62'500 % 250);
  UserDatabase users;
  pid_t pid = -1;
  std::uint16_t port = 0;
};

TEST_F(WholeAgent, sigtermStopsVscodeAndEndsWithZero) {
  start(options());
  waitUntilReady();
  ::kill(pid, SIGTERM);
  int status = waitForExit();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_FALSE(health());
}

TEST_F(WholeAgent, sigintDoesTheSame) {
  start(options());
  waitUntilReady();
  ::kill(pid, SIGINT);
  int status = waitForExit();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(WholeAgent, withAKeyIsReachedThroughTlsWithThatKeyOnly) {
  auto made = options();
  made.config.tlsKey = Secret(std::string(32, 't'));
  start(std::move(made));
  const net::Connector plain = target().endpoint.connect;
  AgentTarget with_tls = target();
  with_tls.endpoint.connect = secured(plain, ed25519::publicKeyOf(Secret(std::string(32, 't'))));
  waitUntil([&] {
    try {
      return await(getHealth(with_tls, Deadline::after(kPatience))).ready;
    } catch (const Error&) {
      return false;  // it does not listen yet
    }
  });
  ExecRequest request;
  request.command = {"echo", "hi"};
  EXPECT_EQ(await(exec(with_tls, request, Deadline::after(kPatience))).stdoutText, "hi\n");
  const auto from_vscode = [&]() -> awaitable<std::string> {
    net::HttpClient client([&](Deadline deadline) { return openVscodeTunnel(with_tls, deadline); }, {.host = "work.localhost"});
    co_return (co_await client.send({.target = "/healthz"}, Deadline::after(kPatience))).body;
  };
  EXPECT_FALSE(await(from_vscode()).empty());
  EXPECT_FALSE(health()) << "without TLS, a request is refused and its token is not read";
  AgentTarget foreign = target();
  foreign.endpoint.connect = secured(plain, ed25519::publicKeyOf(Secret(std::string(32, 'f'))));
  try {
    await(getHealth(foreign, Deadline::after(kPatience)));
    ADD_FAILURE() << "another key was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_THAT(error.message(), testing::AllOf(testing::HasSubstr("its key is not the expected one"),
                                                testing::HasSubstr("check what is between the server and the Docker host")));
  }
}

TEST_F(WholeAgent, runsTheContainersCommandBesideVscode) {
  auto made = options();
  made.command = {"sh", "-c", "echo $USER > \"$HOME/ran\""};
  start(std::move(made));
  waitUntilReady();
  waitUntil([&] { return readFile(folder / "home/ran") == "coder\n"; });
}

TEST_F(WholeAgent, reportsTheSetupScriptWithoutDelayingVscode) {
  auto made = options();
  made.config.setup = "until test -e \"$HOME/go\"; do sleep 0.01; done; exit 4\n";
  start(std::move(made));
  waitUntilReady();
  waitForSetup(SetupState::Running);
  EXPECT_TRUE(health()->ready);
  writeFile(folder / "home/go", "");
  waitForSetup(SetupState::Failed);
  EXPECT_EQ(health()->setupExitCode, 4);
}

TEST_F(WholeAgent, backgroundProcessesGetSigtermThoughTheAgentIsNotProcessOne) {
  auto made = options();
  writeFile(folder / "daemon.sh", "trap 'echo ended > \"$HOME/ended\"; exit' TERM\ntouch \"$HOME/begun\"\nwhile :; do sleep 0.05; done\n");
  made.command = {"sh", "-c", "setsid sh " + (folder / "daemon.sh").string() + " & while ! test -e \"$HOME/begun\"; do sleep 0.01; done"};
  start(std::move(made));
  waitUntilReady();
  waitUntil([&] { return std::filesystem::exists(folder / "home/begun"); });
  ::kill(pid, SIGTERM);
  int status = waitForExit();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(readFile(folder / "home/ended"), "ended\n");
}

TEST_F(WholeAgent, storageThatCannotBeBoundKeepsVscodeFromStartingAndTheReasonIsReported) {
  auto made = options();
  made.command = {"sh", "-c", "touch \"$HOME/ran\""};
  writeFile(folder / "volume", "a file where a volume should be");
  made.config.binds = {{folder / "volume/home", folder / "home"}};
  start(std::move(made));
  std::optional<AgentHealth> seen;
  for (auto end = Deadline::after(kPatience); !seen && !end.hasPassed();) seen = health();
  ASSERT_TRUE(seen);
  EXPECT_FALSE(seen->ready);
  EXPECT_THAT(seen->reason, testing::HasSubstr("volume/home could not be mounted at"));
  ::kill(pid, SIGTERM);
  int status = waitForExit();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_FALSE(std::filesystem::exists(folder / "home/ran")) << "its files would be lost";
}

class HeldAgent : public WholeAgent {
 protected:
  AgentOptions heldOptions() {
    auto made = options();
    made.config.hold = "op-move";
    made.command = {"sh", "-c", "echo ran >> \"$HOME/ran\""};
    return made;
  }
  void waitUntilResponding() {
    for (auto end = Deadline::after(kPatience); !health() && !end.hasPassed();) await(async::sleepFor(std::chrono::milliseconds(10)));
  }
  Deadline soon() const { return Deadline::after(kPatience); }
  void expectOrderlyEnd() {
    ::kill(pid, SIGTERM);
    int status = waitForExit();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
};

TEST_F(HeldAgent, startsHeldAndRunsEverythingOnceReleased) {
  start(heldOptions());
  waitUntilResponding();
  auto seen = health();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->held, "op-move");
  EXPECT_FALSE(seen->ready);
  EXPECT_FALSE(std::filesystem::exists(folder / "home/ran"));
  auto released = await(release(target(), soon()));
  EXPECT_EQ(released.held, "");
  EXPECT_EQ(released.boot, seen->boot);
  waitUntilReady();
  waitUntil([&] { return readFile(folder / "home/ran") == "ran\n"; });
}

TEST_F(HeldAgent, aCommandThatHasDoneItsWorkIsNotStartedAgainByRelease) {
  auto made = heldOptions();
  made.config.hold.clear();
  start(std::move(made));
  waitUntilReady();
  waitUntil([&] { return readFile(folder / "home/ran") == "ran\n" && descendantsOf(pid).size() == 1; });  // VS Code
  await(hold(target(), "op-move", "It moves.", soon()));
  await(release(target(), soon()));
  waitUntilReady();
  EXPECT_EQ(readFile(folder / "home/ran"), "ran\n");
}

TEST_F(HeldAgent, aCommandThatRunsEndsAndComesBack) {
  auto made = heldOptions();
  made.config.hold.clear();
  made.command = {"sh", "-c", "echo ran >> \"$HOME/ran\"; exec sleep 60"};
  start(std::move(made));
  waitUntilReady();
  waitUntil([&] { return readFile(folder / "home/ran") == "ran\n"; });
  await(hold(target(), "op-move", "It moves.", soon()));
  await(release(target(), soon()));
  waitUntil([&] { return readFile(folder / "home/ran") == "ran\nran\n"; });
}

TEST_F(HeldAgent, sigtermWhileHeldEndsItWithZero) {
  start(heldOptions());
  waitUntilResponding();
  expectOrderlyEnd();
}

TEST_F(HeldAgent, sigtermInMidHoldEndsItWithZero) {
  auto made = heldOptions();
  made.config.hold.clear();
  made.command = {"sh", "-c", "trap 'kill -TERM $PPID; sleep 1; exit' TERM; touch \"$HOME/begun\"; while :; do sleep 0.01; done"};
  start(std::move(made));
  waitUntilReady();
  waitUntil([&] { return std::filesystem::exists(folder / "home/begun"); });
  auto request = asio::co_spawn(context, hold(target(), "op-move", "It moves.", soon()), asio::use_future);
  waitUntil([&] { return request.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  EXPECT_THROW(request.get(), Error);
  int status = waitForExit();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(HeldAgent, storageThatCannotBeBoundKeepsVscodeFromStartingAfterReleaseToo) {
  auto made = heldOptions();
  writeFile(folder / "volume", "a file where a volume should be");
  made.config.binds = {{folder / "volume/home", folder / "home"}};
  start(std::move(made));
  waitUntilResponding();
  await(release(target(), soon()));
  auto seen = health();
  ASSERT_TRUE(seen);
  EXPECT_FALSE(seen->ready);
  EXPECT_THAT(seen->reason, testing::HasSubstr("volume/home could not be mounted at"));
  EXPECT_FALSE(std::filesystem::exists(folder / "home/ran"));
}

TEST_F(WholeAgent, aPortThatIsTakenEndsItAtOnce) {
  auto made = options();
  auto taken = net::listenTcp(context.get_executor(), {host, 0});
  made.port = taken->port();
  start(std::move(made));
  int status = waitForExit();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
}

}  // namespace
}  // namespace swarm::agent
