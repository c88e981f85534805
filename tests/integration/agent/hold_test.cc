// Held and released in the real image: VS Code's own processes, a terminal's job, what sudo started; and the time that it takes.
#include "base/error.h"
#include "integration/agent/image_fixture.h"
#include "net/websocket/websocket.h"
#include "protocol/exec_frames.h"

namespace swarm::agent {
namespace {
constexpr std::string_view kReason = "This workspace is moving to Fly.io (ams).";

class HoldInImage : public AgentInImage {
 protected:
  AgentHold holdIt() { return loop_.run(hold(target(), "op-move", std::string(kReason), soon()), kPatience); }
  AgentHold releaseIt() { return loop_.run(release(target(), soon()), kPatience); }
  AgentHealth health() { return loop_.run(getHealth(target(), soon()), kPatience); }

  void visit() { EXPECT_THAT(workbench(), testing::HasSubstr("workbench")); }

  /// A shell on a terminal, as VS Code's are; `line` is typed into it.
  std::unique_ptr<net::WebSocket> openTerminal(std::string line) {
    return loop_.run(
        [](AgentTarget where, std::string typed) -> awaitable<std::unique_ptr<net::WebSocket>> {
          auto deadline = Deadline::after(kPatience);
          auto stream = co_await where.endpoint.connect(deadline);
          auto socket =
              co_await net::openWebSocket(std::move(stream), "agent", std::string(kExecPath), execHeaders(where, RealClock()), deadline);
          co_await socket->writeText(R"({"command":["bash","-i"],"tty":true})");
          co_await socket->write(std::string(1, static_cast<char>(ExecFrame::Stdin)) + typed + "\n");
          co_return socket;
        }(target(), std::move(line)),
        kPatience);
  }
  void waitForFile(const std::string& path) {
    for (auto end = soon(); run("test -e " + path).exitCode != 0;) ASSERT_FALSE(end.hasPassed()) << path;
  }
};

TEST_F(HoldInImage, nothingButTheAgentIsLeftAndReleaseBringsVscodeBack) {
  auto before = waitUntilReady();
  visit();
  auto terminal = openTerminal("sleep 1000 & touch ~/in-terminal; sleep 1001");
  run("nohup setsid sh -c \"trap '' TERM HUP; touch ~/ignoring; while :; do sleep 1; done\" >/dev/null 2>&1 &");
  run("setsid sh -c 'touch /tmp/as-root; exec sleep 1002' >/dev/null 2>&1 &", "root");
  for (const char* file : {"~/in-terminal", "~/ignoring", "/tmp/as-root"}) waitForFile(file);
  EXPECT_GT(container_->processes().size(), 5U);

  EXPECT_EQ(holdIt().held, "op-move");
  EXPECT_THAT(container_->processes(), testing::ElementsAre(testing::HasSubstr("swarm-agent")));
  auto held = health();
  EXPECT_FALSE(held.ready);
  EXPECT_EQ(held.held, "op-move");
  EXPECT_EQ(held.reason, kReason);
  EXPECT_THROW(run("true"), Error);
  EXPECT_THROW(getFromVscode("/"), Error);
  EXPECT_THAT(container_->processes(), testing::SizeIs(1));

  EXPECT_EQ(releaseIt().held, "");
  auto after = waitUntilReady(before.generation);
  EXPECT_EQ(after.boot, before.boot);
  visit();
  EXPECT_EQ(run("ls ~/in-terminal | wc -l").stdoutText, "1\n");
}

TEST_F(HoldInImage, whatTheEngineStartedBesideTheAgentIsEndedToo) {
  waitUntilReady();
  container_->execDetached({"sh", "-c", "trap '' TERM HUP; touch /tmp/beside; while :; do sleep 1; done"});
  waitForFile("/tmp/beside");
  EXPECT_THAT(container_->processes(), testing::Contains(testing::HasSubstr("while :")));
  holdIt();
  EXPECT_THAT(container_->processes(), testing::SizeIs(1));
}

TEST_F(HoldInImage, reportsHowLongItTook) {
  waitUntilReady();
  visit();
  auto terminal = openTerminal("touch ~/in-terminal; sleep 1000");
  waitForFile("~/in-terminal");
  auto began = std::chrono::steady_clock::now();
  holdIt();
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count();
  RecordProperty("milliseconds", static_cast<int>(took));
  std::printf("held after %lld ms\n", static_cast<long long>(took));
}

TEST_F(HoldInImage, fromTheBeginningNothingRunsAndThenEverything) {
  Options options;
  options.members += R"(,"hold":"op-move")";
  begin(std::move(options));
  EXPECT_EQ(health().held, "op-move");
  EXPECT_THAT(container_->processes(), testing::SizeIs(1));
  releaseIt();
  waitUntilReady();
  EXPECT_EQ(run("stat -c %U /data ~").stdoutText, "coder\ncoder\n");
}

TEST_F(HoldInImage, stopsWithZeroWhileHeld) {
  waitUntilReady();
  holdIt();
  container_->stop(10);
  EXPECT_EQ(container_->exitCode(), 0);
}

}  // namespace
}  // namespace swarm::agent
