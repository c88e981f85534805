// Supervision: readiness, restarts with back-off, generations, stopping; and the reaping of orphans.
#include "agent/server/service.h"

#include <fcntl.h>
#include <sys/prctl.h>

#include "unit/agent/fixture.h"

namespace swarm::agent {
namespace {
using std::chrono::milliseconds;

TEST(Backoff, doublesUpToTheLongestAndForgetsAfterAHealthyLife) {
  Backoff backoff({milliseconds(200), milliseconds(1000), milliseconds(60'000)});
  EXPECT_EQ(backoff.after(milliseconds(1)), milliseconds(200));
  EXPECT_EQ(backoff.after(milliseconds(1)), milliseconds(400));
  EXPECT_EQ(backoff.after(milliseconds(59'999)), milliseconds(800));
  EXPECT_EQ(backoff.after(milliseconds(1)), milliseconds(1000));
  EXPECT_EQ(backoff.after(milliseconds(1)), milliseconds(1000));
  EXPECT_EQ(backoff.after(milliseconds(60'000)), milliseconds(200));
}

TEST_F(AgentTest, vscodeThatDiesComesBackWithANewGeneration) {
  startVscode();
  auto first = vscode.generation();
  pid_t pid = vscode.pid();
  ::kill(pid, SIGKILL);
  waitUntil([&] { return !vscode.ready(); });
  waitUntil([&] { return vscode.ready(); });
  EXPECT_NE(vscode.generation(), first);
  EXPECT_NE(vscode.pid(), pid);
  EXPECT_EQ(vscode.exitCode(), 128 + SIGKILL);
}

class ServiceTest : public LoopTest {
 protected:
  ServiceTest() : users(ownUser(folder)) {}
  ServiceOptions options(std::vector<std::string> command) {
    ServiceOptions made;
    made.name = "test";
    made.title = "The test";
    made.command = std::move(command);
    made.backoff = {milliseconds(5), milliseconds(20), milliseconds(60'000)};
    made.logFd = log.get();
    return made;
  }
  Descriptor log{::open("/dev/null", O_WRONLY | O_CLOEXEC)};  // a reader of our output that stalls would hold lines back
  /// Read in the moment of the state: until the test continues, the service may be started again.
  std::string reasonWhileWaiting(const Service& service) {
    std::string reason;
    waitUntil([&] {
      if (service.state() == ServiceState::Waiting) reason = service.reason();
      return !reason.empty();
    });
    return reason;
  }
  UserDatabase users;
  Environment base{{"PATH", "/usr/bin:/bin"}};
};

TEST_F(ServiceTest, startsAgainAfterEachFailureAndSaysHowItEnded) {
  std::string log = (folder / "starts").string();
  Service service(context.get_executor(), children, base,
                  options({"sh", "-c", "echo start >> " + log + "; echo first; echo the reason >&2; exit 3"}), users);
  asio::co_spawn(context, service.run(), asio::detached);
  waitUntil([&] { return readFile(log).size() >= 4 * std::string("start\n").size(); });
  EXPECT_THAT(reasonWhileWaiting(service), testing::HasSubstr("exit code 3 (the reason)"));
  await(service.stop(Deadline::after(kPatience)));
  waitUntil([&] { return service.state() == ServiceState::Stopped; });
}

TEST_F(ServiceTest, aCommandThatSucceedsIsNotStartedAgain) {
  auto how = options({"true"});
  how.restart = Restart::OnFailure;
  Service service(context.get_executor(), children, base, how, users);
  await(service.run());
  EXPECT_EQ(service.state(), ServiceState::Ended);
}

TEST_F(ServiceTest, aLauncherThatIsMissingIsSaidAndTriedAgain) {
  auto path = folder / "launcher";
  auto how = options({path.string()});
  how.restart = Restart::OnFailure;
  Service service(context.get_executor(), children, base, how, users);
  asio::co_spawn(context, service.run(), asio::detached);
  EXPECT_THAT(reasonWhileWaiting(service), testing::HasSubstr("not found"));
  auto pending = folder / "pending";
  writeFile(pending, "#!/bin/sh\nexit 0\n");
  std::filesystem::permissions(pending, std::filesystem::perms::owner_all);
  std::filesystem::rename(pending, path);
  waitUntil([&] { return service.state() == ServiceState::Ended; });
}

TEST_F(ServiceTest, stopKillsAtTheDeadline) {
  auto mark = folder / "ready";
  Service service(context.get_executor(), children, base,
                  options({"sh", "-c", "trap '' TERM; echo > " + mark.string() + "; while :; do sleep 0.05; done"}), users);
  asio::co_spawn(context, service.run(), asio::detached);
  waitUntil([&] { return std::filesystem::exists(mark); });
  await(service.stop(Deadline::after(milliseconds(50))));
  waitUntil([&] { return service.state() == ServiceState::Stopped; });
  EXPECT_EQ(service.exitCode(), 128 + SIGKILL);
  EXPECT_EQ(children.running(), 0U);
}

TEST_F(ServiceTest, runsAgainAfterStop) {
  std::string log = (folder / "starts").string();
  Service service(context.get_executor(), children, base, options({"sh", "-c", "echo start >> " + log + "; exec sleep 60"}), users);
  for (int round = 1; round <= 3; ++round) {
    asio::co_spawn(context, service.run(), asio::detached);
    waitUntil([&] { return readFile(log).size() == static_cast<std::size_t>(round) * 6; });
    EXPECT_EQ(service.state(), ServiceState::Running);
    await(service.stop(Deadline::after(kPatience)));
    EXPECT_EQ(service.state(), ServiceState::Stopped) << "stop() waits for run()";
  }
}

TEST_F(ServiceTest, aStopThatComesBeforeTheFirstProcessIsNotForgotten) {
  auto mark = folder / "started";
  Service service(context.get_executor(), children, base, options({"sh", "-c", "echo > " + mark.string()}), users);
  auto run = service.run();
  auto stopped = asio::co_spawn(context, service.stop(Deadline::after(kPatience)), asio::use_future);
  asio::co_spawn(context, std::move(run), asio::detached);
  waitUntil([&] { return stopped.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  EXPECT_EQ(service.state(), ServiceState::Stopped);
  EXPECT_FALSE(std::filesystem::exists(mark));
}

TEST_F(LoopTest, orphansAreReaped) {
  // As happens to process 1: when their parent ends, they become the agent's children.
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  SpawnRequest request;
  request.argv = {"/bin/sh", "-c", "(sleep 0.05 & sleep 0.05 & sleep 0.05 &) ; exit 0"};
  request.env = {"PATH=/usr/bin:/bin"};
  request.user.uid = ::getuid();
  request.user.gid = ::getgid();
  auto child = children.spawn(request);
  ASSERT_TRUE(child);
  waitUntil([&] { return (*child)->exited() && children.orphansReaped() >= 3; });
  EXPECT_EQ((*child)->exitCode(), 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_F(LoopTest, aChildHasNoDescriptorsOfOursNorIgnoredSignals) {
  std::string listing = (folder / "fds").string();
  SpawnRequest request;
  request.argv = {"/bin/sh", "-c", "ls /proc/self/fd > " + listing + "; grep -E 'SigIgn|SigBlk' /proc/self/status >> " + listing};
  request.env = {"PATH=/usr/bin:/bin"};
  request.user.uid = ::getuid();
  request.user.gid = ::getgid();
  int leaky = ::open("/dev/null", O_RDONLY);  // not close-on-exec, as a library's might be
  auto child = children.spawn(request);
  ASSERT_TRUE(child);
  waitUntil([&] { return (*child)->exited(); });
  ::close(leaky);
  // 3 is ls's own, for the listing.
  EXPECT_EQ(readFile(listing), "0\n1\n2\n3\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

}  // namespace
}  // namespace swarm::agent
