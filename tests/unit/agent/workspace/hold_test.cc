// Hold and release: what ends, what is refused, what is restarted; and requests that are repeated, concurrent, or from disconnected
// clients.
#include "agent/workspace/hold.h"
#include "async/deadline.h"
#include "base/error.h"

#include <sys/prctl.h>

#include <boost/json/parse.hpp>

#include "agent/process/all_processes.h"
#include "base/text/format.h"
#include "net/websocket/websocket.h"
#include "protocol/exec_frames.h"
#include "unit/agent/fixture.h"

namespace swarm::agent {
namespace {
using std::chrono::milliseconds;
constexpr std::string_view kReason = "This workspace is moving to Fly.io (ams).";
constexpr std::string_view kMove = "op-move";

class HoldTest : public AgentTest {
 protected:
  // As in an instance: orphans are reparented to the agent.
  HoldTest() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~HoldTest() override {
    signalAll(SIGKILL);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }

  Deadline soon() const { return Deadline::after(kPatience); }
  AgentHold holdIt(std::string transfer = std::string(kMove)) {
    return await(agent::hold(target(), std::move(transfer), std::string(kReason), soon()));
  }
  AgentHold releaseIt() { return await(agent::release(target(), soon())); }
  AgentHealth health() { return await(getHealth(target(), soon())); }

  template <typename T>
  std::future<T> begin(awaitable<T> work) {
    return asio::co_spawn(context, std::move(work), asio::use_future);
  }
  template <typename T>
  void waitFor(std::future<T>& future) {
    waitUntil([&] { return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  }

  std::future<CommandResult> run(std::string script) {
    ExecRequest request;
    request.command = {"sh", "-c", std::move(script)};
    return begin(agent::exec(target(), std::move(request), Deadline::never()));
  }
  /// Starts a script and waits until it runs: until its line REPORT has written its process id. `how`: the command, with "sh FILE" as
  /// default.
  pid_t runInBackground(std::string script, std::string how = "exec FILE") {
    auto pid_file = folder / "pid";
    auto file = folder / format("script-{}", background.size());
    std::filesystem::remove(pid_file);
    writeFile(file, script.replace(script.find("REPORT"), 6, format("echo $$ > {0}.new; mv {0}.new {0}", pid_file.string())));
    background.push_back(run(how.replace(how.find("FILE"), 4, "sh " + file.string())));
    waitUntil([&] { return std::filesystem::exists(pid_file); });
    return std::stoi(readFile(pid_file));
  }
  /// Held by another object, which gives processes any time to end.
  void holdWithPatience() {
    HoldParts parts = holdParts();
    parts.patience = std::chrono::hours(1);
    Hold patient(std::move(parts));
    await(patient.hold(std::string(kMove), std::string(kReason)));
  }
  static bool lives(pid_t pid) { return ::kill(pid, 0) == 0; }

  std::vector<std::future<CommandResult>> background;
};

void expectUnavailable(std::function<void()> call, std::string_view message) {
  try {
    call();
    FAIL() << "it is held";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_EQ(error.message(), message);
  }
}

TEST_F(HoldTest, holdEndsVscodeAndReleaseBringsANewOne) {
  startVscode();
  auto before = health();
  EXPECT_EQ(before.held, "");
  EXPECT_NE(before.boot, "");
  auto held = holdIt();
  EXPECT_EQ(held.held, kMove);
  EXPECT_EQ(held.boot, before.boot);
  EXPECT_EQ(vscode.state(), ServiceState::Stopped);
  EXPECT_FALSE(isAnyProcessLeft());
  auto now = health();
  EXPECT_FALSE(now.ready);
  EXPECT_EQ(now.held, kMove);
  EXPECT_EQ(now.reason, kReason);
  EXPECT_EQ(releaseIt().held, "");
  auto after = await(getHealth(target(), soon(), std::chrono::seconds(10)));
  EXPECT_TRUE(after.ready);
  EXPECT_EQ(after.held, "");
  EXPECT_EQ(after.reason, "");
  EXPECT_NE(after.generation, before.generation);
  EXPECT_EQ(after.boot, before.boot) << "it is the same agent";
}

TEST_F(HoldTest, everyStartedProcessIsGone) {
  startVscode();
  pid_t orphan = runInBackground("trap '' TERM HUP INT; REPORT; while :; do sleep 0.02; done", "(setsid FILE &) ; true");
  pid_t stopped = runInBackground("REPORT; kill -STOP $$");
  pid_t spawner = runInBackground("trap '' TERM HUP; REPORT; while :; do (setsid sleep 30 &); sleep 0.01; done");
  for (pid_t pid : {orphan, stopped, spawner}) EXPECT_TRUE(lives(pid));
  holdIt();
  for (pid_t pid : {orphan, stopped, spawner}) EXPECT_FALSE(lives(pid));
  EXPECT_FALSE(isAnyProcessLeft()) << namesOfRemainingProcesses();
}

TEST_F(HoldTest, aProcessThatHandlesSigtermMaySaveItsFiles) {
  auto file = folder / "saved";
  runInBackground("trap 'sleep 0.3; echo saved > " + file.string() + "; exit' TERM; REPORT; while :; do sleep 0.01; done",
                  "(setsid FILE &) ; true");
  holdWithPatience();
  EXPECT_EQ(readFile(file), "saved\n");
}

TEST_F(HoldTest, processesThatIgnoreAllSignalsAreKilledWithoutDelay) {
  pid_t pid = runInBackground("trap '' TERM HUP; REPORT; while :; do sleep 0.01; done");
  holdWithPatience();
  EXPECT_FALSE(lives(pid));
}

TEST_F(HoldTest, whileHeldNothingIsStartedAndTheReasonIsGiven) {
  startVscode();
  holdIt();
  expectUnavailable(
      [&] {
        auto made = run("true");
        waitFor(made);
        made.get();
      },
      kReason);
  expectUnavailable([&] { await(openVscodeTunnel(target(), soon())); }, kReason);
  expectUnavailable([&] { await(openPortTunnel(target(), 22, soon())); }, kReason);
  auto stream = request("GET", "/exec", token(TokenScope::Exec));
  EXPECT_EQ(send(std::move(stream)).status, 503);
  EXPECT_EQ(send(request("GET", "/usage", token(TokenScope::Status))).status, 200);
  releaseIt();
  auto made = run("echo again");
  waitFor(made);
  EXPECT_EQ(made.get().stdoutText, "again\n");
}

TEST_F(HoldTest, aCommandThatRunsEndsWithTheReasonAsItsAnswer) {
  runInBackground("REPORT; exec sleep 60");
  holdIt();
  waitFor(background.front());
  expectUnavailable([&] { background.front().get(); }, kReason);
}

TEST_F(HoldTest, aStreamedCommandsClientGetsTheReasonEvenWhenItReadsLate) {
  auto socket = await([](AgentTarget where, net::Headers headers) -> awaitable<std::unique_ptr<net::WebSocket>> {
    auto stream = co_await where.endpoint.connect(Deadline::after(kPatience));
    auto opened = co_await net::openWebSocket(std::move(stream), "agent", "/exec", headers, Deadline::after(kPatience));
    co_await opened->writeText(R"({"command":["sh","-c","echo begun; exec sleep 60"]})");
    co_return opened;
  }(target(), execHeaders(target(), clock)));
  auto first = await(socket->read());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->data, std::string(1, '\1') + "begun\n");
  holdIt();
  auto last = await(socket->read());
  ASSERT_TRUE(last);
  EXPECT_EQ(last->data.front(), static_cast<char>(ExecFrame::Failed));
  EXPECT_EQ(std::string_view(boost::json::parse(last->data.substr(1)).at("message").as_string()), kReason);
  EXPECT_FALSE(await(socket->read()));
}

TEST_F(HoldTest, aClientThatTakesNothingDoesNotKeepItsSessionOpen) {
  auto socket = await([](AgentTarget where, net::Headers headers) -> awaitable<std::unique_ptr<net::WebSocket>> {
    auto stream = co_await where.endpoint.connect(Deadline::after(kPatience));
    auto opened = co_await net::openWebSocket(std::move(stream), "agent", "/exec", headers, Deadline::after(kPatience));
    co_await opened->writeText(R"({"command":["yes"]})");
    co_return opened;
  }(target(), execHeaders(target(), clock)));
  waitUntil([&] { return activity.connections() == 1; });
  await(async::sleepFor(milliseconds(100)));  // until the connection's buffers are full
  holdIt();
  waitUntil([&] { return activity.connections() == 0; });
}

TEST_F(HoldTest, tunnelsAreClosed) {
  startVscode();
  auto tunnel = await(openVscodeTunnel(target(), soon()));
  await(tunnel->writeAll("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"));
  std::array<char, 256> buffer{};
  EXPECT_GT(await(tunnel->readSome(asio::buffer(buffer))).bytes, 0U);
  auto listener = net::listenTcp(context.get_executor(), {"127.0.0.1", 0});
  auto port = await(openPortTunnel(target(), listener->port(), soon()));
  auto inside = await(listener->accept());
  holdIt();
  EXPECT_TRUE(await(tunnel->readSome(asio::buffer(buffer))).error);
  EXPECT_TRUE(await(port->readSome(asio::buffer(buffer))).error);
  waitUntil([&] { return activity.connections() == 0; });
}

TEST_F(HoldTest, dataSentAfterTheHoldStartedIsDropped) {
  startVscode();
  auto listener = net::listenTcp(context.get_executor(), {"127.0.0.1", 0});
  auto port = await(openPortTunnel(target(), listener->port(), soon()));
  auto inside = await(listener->accept());
  std::array<char, 256> buffer{};
  await(port->writeAll("before"));
  EXPECT_EQ(await(inside->readSome(asio::buffer(buffer))).bytes, 6U);
  mayBecomeHeld = false;
  auto held = begin(agent::hold(target(), std::string(kMove), std::string(kReason), soon()));
  waitUntil([&] { return hold.closed(); });
  await(port->writeAll("after"));
  await(inside->writeAll("answer"));
  EXPECT_EQ(await(port->readSome(asio::buffer(buffer))).bytes, 6U) << "the other direction is open until VS Code has ended";
  mayBecomeHeld = true;
  auto end = await(inside->readSome(asio::buffer(buffer)));
  EXPECT_EQ(end.bytes, 0U);
  EXPECT_TRUE(end.error);
  waitFor(held);
  EXPECT_EQ(held.get().held, kMove);
}

TEST_F(HoldTest, bothRequestsMayBeRepeatedAndConcurrent) {
  startVscode();
  auto first = begin(agent::hold(target(), std::string(kMove), "one", soon()));
  auto second = begin(agent::hold(target(), std::string(kMove), std::string(kReason), soon()));
  waitFor(first);
  waitFor(second);
  EXPECT_EQ(first.get().held, kMove);
  EXPECT_EQ(second.get().held, kMove);
  EXPECT_EQ(holdIt().held, kMove);
  EXPECT_EQ(health().reason, kReason);
  auto third = begin(agent::release(target(), soon()));
  auto fourth = begin(agent::release(target(), soon()));
  waitFor(third);
  waitFor(fourth);
  EXPECT_EQ(third.get().held, "");
  EXPECT_EQ(fourth.get().held, "");
  auto generation = await(getHealth(target(), soon(), std::chrono::seconds(10))).generation;
  EXPECT_EQ(releaseIt().held, "");
  EXPECT_EQ(health().generation, generation) << "another release restarts nothing";
}

TEST_F(HoldTest, aReleaseForAnotherRunOfTheAgentIsRefused) {
  startVscode();
  const std::string boot = holdIt().boot;
  try {
    await(agent::release(target(), soon(), "of an earlier run"));
    ADD_FAILURE() << "it was released";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Conflict);
  }
  EXPECT_EQ(health().held, kMove);
  EXPECT_EQ(await(agent::release(target(), soon(), boot)).held, "");
}

TEST_F(HoldTest, theLastRequestWins) {
  startVscode();
  pid_t running = runInBackground("REPORT; while :; do sleep 0.01; done");
  mayBecomeHeld = false;
  auto held = begin(agent::hold(target(), std::string(kMove), std::string(kReason), soon()));
  waitUntil([&] { return hold.closed(); });
  auto released = begin(agent::release(target(), soon()));
  waitFor(held);
  mayBecomeHeld = true;
  waitFor(released);
  EXPECT_EQ(released.get().held, "");
  try {
    held.get();
    FAIL() << "it was released in the meantime";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Conflict);
  }
  EXPECT_FALSE(lives(running)) << "the started transition was completed";
  EXPECT_TRUE(await(getHealth(target(), soon(), std::chrono::seconds(10))).ready);
}

TEST_F(HoldTest, itBecomesHeldThoughTheClientHasDisconnected) {
  startVscode();
  await([](net::HostPort where, std::string its_token) -> awaitable<void> {
    auto stream = co_await net::connectTcp(where, Deadline::after(kPatience));
    std::string body = R"({"transfer":"op-move"})";
    co_await stream->writeAll(
        format("POST /hold HTTP/1.1\r\nHost: a\r\nSwarm-Token: {}\r\nContent-Length: {}\r\n\r\n{}", its_token, body.size(), body));
    stream->close();
  }(address(), token(TokenScope::Files)));
  waitUntil([&] { return hold.transfer() == kMove; });
  EXPECT_EQ(health().held, kMove);
}

TEST_F(HoldTest, anotherTransferTakesOver) {
  holdIt("op-first");
  EXPECT_EQ(holdIt("op-second").held, "op-second");
  EXPECT_EQ(health().held, "op-second");
}

TEST_F(HoldTest, aWaitForVscodeEndsAtOnceWhenItIsHeld) {
  auto pending = begin(getHealth(target(), soon(), std::chrono::seconds(10)));
  auto began = std::chrono::steady_clock::now();
  holdIt();
  waitFor(pending);
  EXPECT_EQ(pending.get().held, kMove);
  EXPECT_EQ(await(getHealth(target(), soon(), std::chrono::seconds(10))).held, kMove);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST_F(HoldTest, aRequestWithoutATransferIsRefused) {
  for (std::string_view body : {"", "nonsense", "{}", R"({"transfer":""})", R"({"transfer":1})", "[]"}) {
    auto wrong = request("POST", "/hold", token(TokenScope::Files));
    wrong.body = body;
    EXPECT_EQ(send(std::move(wrong)).status, 400) << body;
  }
  EXPECT_FALSE(hold.closed());
}

TEST_F(HoldTest, heldFromTheStartNothingRunsUntilRelease) {
  hold.begin(std::string(kMove));
  auto seen = health();
  EXPECT_EQ(seen.held, kMove);
  EXPECT_NE(seen.reason, "");
  EXPECT_FALSE(isAnyProcessLeft());
  releaseIt();
  EXPECT_TRUE(await(getHealth(target(), soon(), std::chrono::seconds(10))).ready);
}

TEST_F(HoldTest, heldFromTheStartItConfirmsAHoldRequest) {
  hold.begin(std::string(kMove));
  EXPECT_EQ(await(agent::hold(target(), std::string(kMove), std::string(kReason), soon())).held, kMove);
}

TEST_F(HoldTest, aReleaseOfWhatNeverWasHeldChangesNothing) { EXPECT_EQ(await(agent::release(target(), soon())).held, ""); }

TEST_F(LoopTest, anAgentOfBeforeMovesIsUnderstood) {
  net::HttpServer old(net::listenTcp(context.get_executor(), {"127.0.0.1", 0}), [](net::Exchange& exchange) -> awaitable<void> {
    co_await exchange.respond(200, {}, R"({"ready":true,"reason":"","generation":"g","vscode":"running","uptime":1})");
  });
  asio::co_spawn(context, old.run(), asio::detached);
  net::HostPort where{"127.0.0.1", old.port()};
  AgentTarget its{InstanceId("i-old"), {TokenAlgorithm::Ed25519, Secret(std::string(32, 'k'))}, [where](Deadline deadline) {
                    return net::connectTcp(where, deadline);
                  }};
  auto health = await(getHealth(its, Deadline::after(kPatience)));
  EXPECT_TRUE(health.ready);
  EXPECT_EQ(health.held, "");
  EXPECT_EQ(health.boot, "");
  old.stop();
  context.run_for(milliseconds(100));
}

}  // namespace
}  // namespace swarm::agent
