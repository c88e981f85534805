// Freeze and thaw: no process runs, none ends, none notices; and requests that are repeated, late, or from disconnected clients.
#include "agent/workspace/freeze.h"
#include "async/deadline.h"
#include "base/error.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include "agent/process/all_processes.h"
#include "agent/process/process_state.h"
#include "base/text/format.h"
#include "net/websocket/websocket.h"
#include "unit/agent/fixture.h"

namespace swarm::agent {
namespace {
using std::chrono::milliseconds;
constexpr std::string_view kSnapshot = "op-snapshot";

class FreezeTest : public AgentTest {
 protected:
  // As in an instance: orphans are reparented to the agent.
  FreezeTest() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~FreezeTest() override {
    waitUntil([] {
      signalAll(SIGKILL);
      return !isAnyProcessLeft();
    });
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }

  Deadline soon() const { return Deadline::after(kPatience); }
  std::size_t freezeIt(std::string transfer = std::string(kSnapshot)) {
    return await(agent::freeze(target(), std::move(transfer), soon()));
  }
  void thawIt() { await(agent::thaw(target(), soon())); }

  template <typename T>
  std::future<T> begin(awaitable<T> work) {
    return asio::co_spawn(context, std::move(work), asio::use_future);
  }
  template <typename T>
  bool isDone(std::future<T>& future) {
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  template <typename T>
  void waitFor(std::future<T>& future) {
    waitUntil([&] { return isDone(future); });
  }
  /// Long enough for a running process to have made progress.
  void letTimePass() { await(async::sleepFor(milliseconds(150))); }

  /// Until the test ends: a deadline would end the command in the middle of a slow test.
  std::future<CommandResult> run(std::string script) {
    ExecRequest request;
    request.command = {"bash", "-c", std::move(script)};
    return begin(agent::exec(target(), std::move(request), Deadline::never()));
  }
  /// A process that increments a counter in a file while it runs.
  pid_t startCounter(std::string name) {
    auto file = folder / name, pid_file = folder / (name + ".pid");
    background.push_back(
        run(format("echo $$ > {0}.new; mv {0}.new {0}; while :; do echo >> {1}; sleep 0.005; done", pid_file.string(), file.string())));
    waitUntil([&] { return std::filesystem::exists(pid_file) && sizeOf(name) > 0; });
    return std::stoi(readFile(pid_file));
  }
  std::uintmax_t sizeOf(std::string name) {
    std::error_code error;
    auto size = std::filesystem::file_size(folder / name, error);
    return error ? 0 : size;
  }
  void expectCounts(std::string name) {
    auto before = sizeOf(name);
    waitUntil([&] { return sizeOf(name) > before; });
  }
  void expectStandsStill(std::string name) {
    auto before = sizeOf(name);
    letTimePass();
    EXPECT_EQ(sizeOf(name), before);
  }
  bool isStill(pid_t pid) {
    auto state = stateOf(pid);
    return state && state->still;
  }
  void expectError(ErrorCode code, std::function<void()> call) {
    try {
      call();
      FAIL() << "it did not fail";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.message();
    }
  }

  std::vector<std::future<CommandResult>> background;
};

TEST_F(FreezeTest, everyProcessIsStoppedAndResumed) {
  startVscode();
  auto generation = await(getHealth(target(), soon())).generation;
  pid_t counter = startCounter("count");
  EXPECT_GE(freezeIt(), 2U);
  EXPECT_TRUE(isStill(vscode.pid()));
  EXPECT_TRUE(isStill(counter));
  expectStandsStill("count");
  thawIt();
  expectCounts("count");
  EXPECT_FALSE(isStill(vscode.pid()));
  EXPECT_EQ(await(getHealth(target(), soon())).generation, generation) << "it is the same VS Code";
  EXPECT_FALSE(isDone(background.front())) << "no command ended";
}

TEST_F(FreezeTest, aProcessThatKeepsForkingIsStoppedToo) {
  auto file = folder / "spawned";
  background.push_back(
      run(format("for i in 1 2; do (while :; do (setsid sh -c 'echo >> {0}' &) ; sh -c :; done) & done; wait", file.string())));
  waitUntil([&] { return sizeOf("spawned") > 10; });
  for (int round = 0; round < 5; ++round) {
    freezeIt();
    for (pid_t pid : otherProcesses()) EXPECT_TRUE(isStill(pid)) << pid;
    auto before = sizeOf("spawned");
    await(async::sleepFor(milliseconds(30)));
    EXPECT_EQ(sizeOf("spawned"), before);
    thawIt();
    expectCounts("spawned");
  }
}

TEST_F(FreezeTest, aProcessStoppedBeforeStaysStopped) {
  pid_t stopped = startCounter("stopped");
  ::kill(stopped, SIGSTOP);
  waitUntil([&] { return isStill(stopped); });
  startCounter("runs");
  freezeIt();
  thawIt();
  expectCounts("runs");
  EXPECT_TRUE(isStill(stopped));
  expectStandsStill("stopped");
}

TEST_F(FreezeTest, aShellOnATerminalDoesNotNotice) {
  auto socket = await([](AgentTarget where, net::Headers headers) -> awaitable<std::unique_ptr<net::WebSocket>> {
    auto stream = co_await where.endpoint.connect(Deadline::after(kPatience));
    auto opened = co_await net::openWebSocket(std::move(stream), "agent", "/exec", headers, Deadline::after(kPatience));
    co_await opened->writeText(R"({"command":["bash","--norc","-i"],"tty":true})");
    co_return opened;
  }(target(), execHeaders(target(), clock)));
  auto file = folder / "job";
  std::string typed = format("sh -c 'while :; do echo >> {}; sleep 0.005; done'; echo EN''DED\n", file.string());
  await(socket->write(std::string(1, '\0') + typed));
  waitUntil([&] { return sizeOf("job") > 0; });
  for (int round = 0; round < 10; ++round) {
    freezeIt();
    thawIt();
    expectCounts("job");
  }
  // The job is still in the foreground: Ctrl-C ends it, and only then does the shell continue.
  await(socket->write(std::string(1, '\0') + "\x03"));
  await(socket->write(std::string(1, '\0') + "exit 7\n"));
  std::string shown;
  while (auto message = await(socket->read())) shown += message->data.substr(1);
  EXPECT_THAT(shown, testing::Not(testing::HasSubstr("Stopped")));
  EXPECT_THAT(shown, testing::HasSubstr(R"({"exitCode":7})"));
}

TEST_F(FreezeTest, vscodeIsNotTakenForDead) {
  startVscode();
  freezeIt();
  letTimePass();
  auto health = await(getHealth(target(), soon()));
  EXPECT_TRUE(health.ready) << health.reason;
  thawIt();
  auto tunnel = await(openVscodeTunnel(target(), soon()));
  await(tunnel->writeAll("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  std::array<char, 256> buffer{};
  EXPECT_GT(await(tunnel->readSome(asio::buffer(buffer))).bytes, 0U);
}

TEST_F(FreezeTest, aServiceThatEndsWhileFrozenIsRestartedAfterwards) {
  startVscode();
  auto generation = vscode.generation();
  freezeIt();
  ::kill(vscode.pid(), SIGKILL);
  letTimePass();
  EXPECT_EQ(vscode.generation(), generation);
  for (pid_t pid : otherProcesses()) EXPECT_TRUE(isStill(pid)) << pid;
  thawIt();
  waitUntil([&] { return vscode.ready() && vscode.generation() != generation; });
}

TEST_F(FreezeTest, commandsWaitUntilItIsOver) {
  freezeIt();
  auto pending = run("echo now");
  letTimePass();
  EXPECT_FALSE(isDone(pending));
  EXPECT_TRUE(otherProcesses().empty());
  thawIt();
  waitFor(pending);
  EXPECT_EQ(pending.get().stdoutText, "now\n");
}

TEST_F(FreezeTest, aDisconnectedClientResumesNoProcess) {
  startCounter("count");
  auto where = target();
  auto cut = std::make_unique<net::StreamPtr>(await(where.endpoint.connect(soon())));
  auto pid_file = folder / "its-pid";
  std::string body =
      format(R"({{"command":["sh","-c","echo $$ > {0}.new; mv {0}.new {0}; while :; do sleep 0.01; done"]}})", pid_file.string());
  await((*cut)->writeAll(format("POST /exec HTTP/1.1\r\nHost: a\r\nSwarm-Token: {}\r\nContent-Length: {}\r\n\r\n{}",
                                token(TokenScope::Exec), body.size(), body)));
  waitUntil([&] { return std::filesystem::exists(pid_file); });
  pid_t pid = std::stoi(readFile(pid_file));
  freezeIt();
  (*cut)->close();
  letTimePass();
  EXPECT_TRUE(isStill(pid));
  thawIt();
  waitUntil([&] { return ::kill(pid, 0) != 0; });
}

TEST_F(FreezeTest, itsLeaseExpiresWithoutRenewal) {
  Freeze brief({context.get_executor(), [](bool) {}, milliseconds(2'000), milliseconds(1)});
  startCounter("count");
  await(brief.freeze(std::string(kSnapshot)));
  EXPECT_TRUE(await(brief.waitUntilThawed(soon())));
  expectCounts("count");
}

TEST_F(FreezeTest, aSecondRequestRenewsTheLease) {
  startCounter("count");
  freezeIt();
  auto first = freeze.leaseEnd();
  freezeIt();
  EXPECT_GT(freeze.leaseEnd(), first);
  thawIt();
}

TEST_F(FreezeTest, anotherTransferIsRefusedAndTheSameOneIsNot) {
  startCounter("count");
  auto first = freezeIt();
  EXPECT_EQ(freezeIt(), first);
  expectError(ErrorCode::Conflict, [&] { freezeIt("op-other"); });
  expectStandsStill("count");
  thawIt();
  thawIt();
  expectCounts("count");
  freezeIt("op-other");
  thawIt();
}

TEST_F(FreezeTest, holdAndReleaseThawFirst) {
  startVscode();
  startCounter("count");
  freezeIt();
  EXPECT_EQ(await(agent::hold(target(), "op-move", "It moves.", soon())).held, "op-move");
  EXPECT_FALSE(freeze.closed());
  EXPECT_FALSE(isAnyProcessLeft());
  expectError(ErrorCode::Unavailable, [&] { freezeIt(); });
  await(agent::release(target(), soon()));
  startCounter("again");
  freezeIt();
  await(agent::release(target(), soon()));
  expectCounts("again");
}

TEST_F(FreezeTest, anUnstoppableProcessIsNamedAndAllAreResumed) {
  startCounter("count");
  // Until its child calls exec, the caller of vfork waits in the kernel, where SIGSTOP has no effect.
  pid_t hangs = ::fork();
  if (hangs == 0) {
    if (::vfork() == 0) {
      for (;;) ::pause();
    }
    ::_exit(0);
  }
  waitUntil([&] { return !descendantsOf(hangs).empty(); });
  Freeze hasty({context.get_executor(), [](bool) {}, milliseconds(300)});
  try {
    await(hasty.freeze(std::string(kSnapshot)));
    FAIL() << "it is frozen";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_THAT(error.message(), testing::HasSubstr(format("({})", hangs)));
  }
  EXPECT_FALSE(hasty.closed());
  expectCounts("count");
}

TEST_F(FreezeTest, aThawDuringAFreezeIsAConflictAndAllAreResumed) {
  startCounter("count");
  std::optional<Freeze> thawed;
  auto thaw_at_once = [&](bool begins) {
    if (begins) asio::post(context, [&] { thawed->thaw(); });  // runs between the first two scans
  };
  thawed.emplace(FreezeParts{context.get_executor(), thaw_at_once});
  expectError(ErrorCode::Conflict, [&] { await(thawed->freeze(std::string(kSnapshot))); });
  EXPECT_FALSE(thawed->closed());
  expectCounts("count");
}

TEST_F(FreezeTest, nothingGoesOnAfterTheConflict) {
  startCounter("count");
  asio::io_context loop;
  std::optional<Freeze> thawed;
  auto thaw_at_once = [&](bool begins) {
    if (begins) asio::post(loop, [&] { thawed->thaw(); });
  };
  thawed.emplace(FreezeParts{loop.get_executor(), thaw_at_once});
  auto frozen = asio::co_spawn(loop, thawed->freeze(std::string(kSnapshot)), asio::use_future);
  while (!isDone(frozen)) loop.run_one();
  expectError(ErrorCode::Conflict, [&] { frozen.get(); });
  loop.poll();
  EXPECT_TRUE(loop.stopped()) << "a scan would use an object that its owner may destroy now";
}

TEST_F(FreezeTest, noProcessStaysStoppedAfterTheAgentsEnd) {
  startCounter("count");
  freezeIt();
  freeze.end();
  expectCounts("count");
  expectError(ErrorCode::Unavailable, [&] { freezeIt(); });
}

TEST_F(FreezeTest, itNeedsATransferAndTheScopeOfFiles) {
  for (std::string_view body : {"", "nonsense", "{}", R"({"transfer":""})"}) {
    auto wrong = request("POST", "/freeze", token(TokenScope::Files));
    wrong.body = body;
    EXPECT_EQ(send(std::move(wrong)).status, 400) << body;
  }
  for (std::string path : {"/freeze", "/thaw"}) EXPECT_EQ(send(request("POST", path, token(TokenScope::Exec))).status, 401);
  EXPECT_FALSE(freeze.closed());
}

TEST(ProcessStateTest, aThreadThatRunsIsSeenBehindAnEndedFirstOne) {
  test::TempDir proc;
  auto line = [](std::string_view state) { return format("7 (a) b) {} 3 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {} 0 0\n", state, 4711); };
  writeFile(proc / "7/stat", line("Z"));
  writeFile(proc / "7/task/7/stat", line("Z"));
  writeFile(proc / "7/task/8/stat", line("R"));
  auto state = stateOf(7, proc.path());
  ASSERT_TRUE(state);
  EXPECT_FALSE(state->still);
  EXPECT_EQ(state->parent, 3);
  EXPECT_EQ(state->started, 4711U);
  writeFile(proc / "7/task/8/stat", line("T"));
  EXPECT_TRUE(stateOf(7, proc.path())->still);
  EXPECT_FALSE(stateOf(8, proc.path()));
}

}  // namespace
}  // namespace swarm::agent
