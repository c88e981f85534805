// The memory backend alone: files, processes, ports, volumes.
#include <gtest/gtest.h>

#include <vector>

#include "async/awaitable.h"
#include "base/error.h"
#include "emulator/memory/memory_backend.h"
#include "net/http/http_client.h"
#include "support/coroutine_test.h"
#include "support/manual_clock.h"

namespace swarm::emulator {
namespace {

Deadline soon() { return Deadline::after(std::chrono::seconds(20)); }

class MemoryBackendTest : public ::testing::Test {
 protected:
  MemoryBackendTest() {
    loop_.run(backend().open([this](const GuestExit& exit) { exits_.push_back(exit); }));
  }
  ~MemoryBackendTest() override { loop_.run(backend().close()); }

  Backend& backend() {
    if (!backend_) backend_ = makeMemoryBackend(loop_.executor(), clock_, options_);
    return *backend_;
  }
  static MachinePlan plan(std::vector<std::string> exec = {}) {
    MachinePlan plan;
    plan.app = "a1";
    plan.machineId = "m1";
    plan.image = "alpine";
    plan.exec = std::move(exec);
    return plan;
  }
  void boot(MachinePlan what) { loop_.run(backend().boot(std::move(what), soon())); }
  GuestExecResult run(std::vector<std::string> command, std::string input = "",
                      std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    return loop_.run(backend().exec("m1", {std::move(command), std::move(input), timeout}, soon()));
  }
  std::string out(const std::string& script, const std::string& input = "") { return run({"sh", "-c", script}, input).stdoutText; }
  void awaitExit() {
    loop_.runUntil([this] { return !exits_.empty(); });
  }

  test::TestLoop loop_;
  ManualClock clock_;
  MemoryOptions options_;
  BackendPtr backend_;
  std::vector<GuestExit> exits_;
};

TEST_F(MemoryBackendTest, commandsGiveOutputErrorsAndExitCodes) {
  boot(plan());
  GuestExecResult all = run({"sh", "-c", "echo hi; echo e >&2; exit 3"});
  EXPECT_EQ(all.exitCode, 3);
  EXPECT_EQ(all.stdoutText, "hi\n");
  EXPECT_EQ(all.stderrText, "e\n");
  EXPECT_EQ(run({"cat"}, "abc").stdoutText, "abc");
  EXPECT_EQ(run({"true"}).exitCode, 0);
  EXPECT_EQ(run({"/bin/false"}).exitCode, 1);
  EXPECT_EQ(run({"no-such-program"}).exitCode, 127);
  EXPECT_EQ(run({"sh", "-c", "while true; do :; done"}).exitCode, 2) << "the shell reports what it does not support";
}

TEST_F(MemoryBackendTest, theShellSupportsListsQuotesVariablesAndOutputToFiles) {
  MachinePlan with_env = plan();
  with_env.env["NAME"] = "value";
  boot(with_env);
  EXPECT_EQ(out("false && echo no; true && echo yes; echo end"), "yes\nend\n");
  EXPECT_EQ(out("echo 'a  b' \"$NAME\" '$NAME' ''"), "a  b value $NAME \n");
  EXPECT_EQ(out("echo a > /f; echo b >> /f; cat /f"), "a\nb\n");
  EXPECT_EQ(out("cat /none 2>/dev/null; echo missing"), "missing\n");
  EXPECT_EQ(run({"tee", "/g"}, "one").stdoutText, "one");
  EXPECT_EQ(out("cat /g"), "one");
  EXPECT_EQ(out("printenv NAME"), "value\n");
  for (const char* unsupported : {"(echo x)", "echo x | cat", "cat < /f", "echo x 2>&1"})
    EXPECT_EQ(run({"sh", "-c", unsupported}).exitCode, 2) << unsupported;
}

TEST_F(MemoryBackendTest, filesOutsideTheVolumeAreGoneAfterABoot) {
  loop_.run(backend().createVolume("vol_1", 1, soon()));
  MachinePlan mounted = plan();
  mounted.volumeId = "vol_1";
  mounted.mountPath = "/data";
  boot(mounted);
  out("echo kept > /data/f; echo lost > /f; echo outside > /database");
  loop_.run(backend().stop("m1", "SIGTERM", std::chrono::seconds(1), soon()));
  boot(mounted);
  EXPECT_EQ(out("cat /data/f"), "kept\n");
  EXPECT_EQ(run({"cat", "/f"}).exitCode, 1);
  EXPECT_EQ(run({"cat", "/database"}).exitCode, 1);
}

TEST_F(MemoryBackendTest, suspendAndResumeKeepFilesAndProcess) {
  boot(plan({"sh", "-c", "echo boot >> /boots; sleep infinity"}));
  loop_.runUntil([this] { return out("cat /boots") == "boot\n"; });
  loop_.run(backend().suspend("m1", soon()));
  EXPECT_FALSE(loop_.run(backend().isRunning("m1", soon())));
  loop_.run(backend().resume("m1", soon()));
  EXPECT_EQ(out("cat /boots"), "boot\n");
  EXPECT_TRUE(exits_.empty());
}

TEST_F(MemoryBackendTest, aMainProcessThatEndsIsReportedWithItsCode) {
  boot(plan({"sh", "-c", "exit 7"}));
  awaitExit();
  EXPECT_EQ(exits_.at(0).exitCode, 7);
  EXPECT_EQ(exits_.at(0).machineId, "m1");
  EXPECT_FALSE(loop_.run(backend().isRunning("m1", soon())));
}

TEST_F(MemoryBackendTest, aSignalEndsTheProcessUnlessItIsTrapped) {
  boot(plan());
  loop_.run(backend().stop("m1", "SIGINT", std::chrono::seconds(10), soon()));
  ASSERT_EQ(exits_.size(), 1u);
  EXPECT_EQ(exits_[0].signal, 2);
  boot(plan({"sh", "-c", "trap 'exit 5' TERM; sleep infinity"}));
  loop_.run(backend().stop("m1", "SIGTERM", std::chrono::seconds(10), soon()));
  ASSERT_EQ(exits_.size(), 2u);
  EXPECT_EQ(exits_[1].exitCode, 5);
  boot(plan({"sh", "-c", "trap '' TERM; echo > /ready; while :; do sleep 1; done"}));
  loop_.runUntil([this] { return run({"cat", "/ready"}).exitCode == 0; });
  loop_.run(backend().stop("m1", "SIGTERM", std::chrono::milliseconds(50), soon()));
  ASSERT_EQ(exits_.size(), 3u);
  EXPECT_EQ(exits_[2].exitCode, 137);
  EXPECT_EQ(exits_[2].signal, 9);
}

TEST_F(MemoryBackendTest, aCommandThatTakesTooLongHasNoExitCode) {
  boot(plan());
  EXPECT_FALSE(run({"sleep", "30"}, "", std::chrono::milliseconds(20)).exitCode);
}

TEST_F(MemoryBackendTest, aCommandDoesNotOutliveItsMachine) {
  boot(plan());
  bool failed = false;
  auto command = [](Backend& backend, bool& result) -> async::awaitable<void> {
    try {
      co_await backend.exec("m1", {{"sleep", "30"}, "", std::chrono::seconds(30)}, soon());
    } catch (const Error&) {
      result = true;
    }
  };
  loop_.spawn(command(backend(), failed));
  loop_.run(backend().destroy("m1", soon()));
  loop_.runUntil([&] { return failed; });
  EXPECT_THROW(run({"true"}), Error);
}

TEST_F(MemoryBackendTest, theAgentsPortAnswersHttpAndTunnels) {
  boot(plan());
  net::HttpClient client([this](Deadline deadline) { return backend().connect("m1", 7777, deadline); }, {.host = "m1"});
  net::HttpResponse health = loop_.run(client.send({.target = "/health"}, soon()));
  EXPECT_EQ(health.status, 200);
  EXPECT_NE(health.body.find("\"ready\":true"), std::string::npos);
  net::HttpResponse page = loop_.run(client.send({.target = "/"}, soon()));
  EXPECT_NE(page.body.find("m1"), std::string::npos);
  net::HttpResponse command =
      loop_.run(client.send({.method = "POST", .target = "/exec", .body = R"({"command":["sh","-c","echo hi; exit 4"]})"}, soon()));
  EXPECT_NE(command.body.find("\"exitCode\":4"), std::string::npos) << command.body;
  auto tunnel =
      loop_.run(client.open({.target = "/tunnel/vscode", .headers = {{"Connection", "Upgrade"}, {"Upgrade", "swarm-tunnel"}}}, soon()));
  EXPECT_TRUE(tunnel->upgraded());
  EXPECT_THROW(loop_.run(backend().connect("m1", 22, soon())), Error);
}

TEST_F(MemoryBackendTest, aConnectionEndsWithItsMachine) {
  boot(plan());
  net::StreamPtr stream = loop_.run(backend().connect("m1", 7777, soon()));
  loop_.run(backend().destroy("m1", soon()));
  char byte = 0;
  EXPECT_TRUE(loop_.run(stream->readSome(boost::asio::buffer(&byte, 1))).error);
}

TEST_F(MemoryBackendTest, aCopiedVolumeIsIndependent) {
  loop_.run(backend().createVolume("vol_1", 1, soon()));
  MachinePlan mounted = plan();
  mounted.volumeId = "vol_1";
  mounted.mountPath = "/data";
  boot(mounted);
  out("echo one > /data/f");
  loop_.run(backend().copyVolume("vol_1", "vol_2", soon()));
  out("echo changed > /data/f");
  EXPECT_EQ(loop_.run(backend().volumeBytesUsed("vol_2", soon())), 4);
  mounted.volumeId = "vol_2";
  boot(mounted);
  EXPECT_EQ(out("cat /data/f"), "one\n");
  loop_.run(backend().destroyVolume("vol_1", soon()));
  EXPECT_EQ(loop_.run(backend().volumeIds(soon())), std::vector<std::string>{"vol_2"});
}

TEST_F(MemoryBackendTest, filesOfTheConfigurationAreThereBeforeTheProcess) {
  MachinePlan with_file = plan({"sh", "-c", "cat /etc/greeting > /seen; sleep infinity"});
  with_file.files = {{"/etc/greeting", "hello", 0400}};
  boot(with_file);
  loop_.runUntil([this] { return out("cat /seen") == "hello"; });
}

TEST_F(MemoryBackendTest, anImageThatIsMissingIsNotFound) {
  options_.missingImages = {"nowhere/nothing:1"};
  backend_.reset();
  EXPECT_FALSE(loop_.run(backend().findImage("nowhere/nothing:1", soon())));
  EXPECT_TRUE(loop_.run(backend().findImage("alpine", soon())));
}

}  // namespace
}  // namespace swarm::emulator
