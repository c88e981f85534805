// Machines as containers: what they get, how they end, what survives.
#include <signal.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "integration/fly_emulator/backend_fixture.h"
#include "net/connect.h"

namespace swarm::emulator {
namespace {

constexpr const char* kMainRuns = "/tmp/main-runs";  ///< of the test image's program, once it listens for signals

using std::chrono::milliseconds;
using swarm::testing::errorOf;
using ::testing::HasSubstr;

TEST_F(DockerBackendTest, aMachineGetsItsEnvironmentFilesAndLimits) {
  MachinePlan made = plan();
  made.env = {{"FLY_MACHINE_ID", "m1"}, {"GREETING", "hello world"}};
  made.files = {{"/etc/swarm/agent.json", "secret", 0400}, {"/tmp/x/script", "#!/bin/sh\n", 0755}};
  boot(made);
  EXPECT_EQ(shell("echo $FLY_MACHINE_ID $GREETING $PATH"), "m1 hello world /bin\n");
  EXPECT_EQ(shell("cat /etc/swarm/agent.json; stat -c ' %a %u' /etc/swarm/agent.json; stat -c %a /tmp/x/script /tmp /etc/swarm"),
            "secret 400 0\n755\n1777\n755\n");
  EXPECT_EQ(inspect().at("HostConfig").at("Memory").as_int64(), 256 << 20);
  EXPECT_EQ(inspect().at("HostConfig").at("NanoCpus").as_int64(), 1'000'000'000);
}

TEST_F(DockerBackendTest, moreCpusThanTheEngineHasAreAllOfThem) {
  MachinePlan made = plan();
  made.cpus = 16;
  made.sharedCpu = false;
  boot(made);
  EXPECT_EQ(inspect().at("HostConfig").at("NanoCpus").as_int64(), engine.get("/info").at("NCPU").as_int64() * 1'000'000'000);
}

TEST_F(DockerBackendTest, whatRunsIsTheImagesOrTheConfigurations) {
  boot(plan());
  EXPECT_EQ(shell("cat /out 2>/dev/null || echo main"), "main\n");
  const auto first = [&](MachinePlan made) {
    boot(std::move(made));
    return shell("until [ -s /out ]; do sleep 0.05; done; cat /out");
  };
  MachinePlan made = plan();
  made.command = {"sh", "-c", "echo command > /out; sleep 100"};
  EXPECT_EQ(first(made), "command\n");
  made.entrypoint = {"sh", "-c"};
  made.command = {"echo entrypoint > /out; sleep 100"};
  EXPECT_EQ(first(made), "entrypoint\n");
  made.exec = {"sh", "-c", "echo exec > /out; sleep 100"};
  EXPECT_EQ(first(made), "exec\n");
}

TEST_F(DockerBackendTest, execRunsAsRootInTheRootWithBothOutputsApart) {
  boot(plan());
  GuestExecResult result = exec({"sh", "-c", "id -u; pwd; echo e >&2; exit 3"});
  EXPECT_EQ(result.exitCode, 3);
  EXPECT_EQ(result.stdoutText, "0\n/\n");
  EXPECT_EQ(result.stderrText, "e\n");
  EXPECT_EQ(exec({"cat"}, "m1", "from outside").stdoutText, "from outside");
  EXPECT_EQ(exec({"no-such-program"}).exitCode, 127);
  result = exec({"sh", "-c", "kill -9 $$"});
  EXPECT_EQ(result.exitSignal, SIGKILL);
}

TEST_F(DockerBackendTest, aCommandThatTakesTooLongHasNoExitCode) {
  boot(plan());
  GuestExec request;
  request.command = {"sleep", "20"};
  request.timeout = milliseconds(200);
  EXPECT_EQ(runner.run(backend->exec("m1", request, soon())).exitCode, std::nullopt);
}

TEST_F(DockerBackendTest, execNeedsARunningMachine) {
  EXPECT_EQ(errorOf([&] { exec({"true"}); })->code(), ErrorCode::NotFound);
  boot(plan());
  runner.run(backend->stop("m1", "SIGTERM", milliseconds(5'000), soon()));
  EXPECT_EQ(errorOf([&] { exec({"true"}); })->code(), ErrorCode::Conflict);
}

TEST_F(DockerBackendTest, stopSendsTheSignalAndReportsTheExit) {
  boot(plan());
  waitUntilMainRuns(kMainRuns);
  runner.run(backend->stop("m1", "SIGUSR1", milliseconds(10'000), soon()));
  ASSERT_TRUE(waitForExit());
  EXPECT_EQ(exits[0].machineId, "m1");
  EXPECT_EQ(exits[0].exitCode, 3);
  EXPECT_EQ(exits[0].signal, 0);
  EXPECT_FALSE(runner.run(backend->isRunning("m1", soon())));
  runner.run(backend->stop("m1", "SIGTERM", milliseconds(1'000), soon()));
  EXPECT_EQ(exits.size(), 1U) << "what has ended ends once";
}

TEST_F(DockerBackendTest, aProcessThatDoesNotListenIsKilledAfterTheTimeout) {
  MachinePlan made = plan();
  made.exec = {"sh", "-c", "trap '' TERM; : >/tmp/trapped; while :; do sleep 1; done"};
  boot(made);
  waitUntilMainRuns("/tmp/trapped");
  auto before = std::chrono::steady_clock::now();
  runner.run(backend->stop("m1", "SIGTERM", milliseconds(700), soon()));
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(700));
  ASSERT_TRUE(waitForExit());
  EXPECT_EQ(exits[0].exitCode, 137);
  EXPECT_EQ(exits[0].signal, SIGKILL);
  EXPECT_FALSE(exits[0].outOfMemory);
}

TEST_F(DockerBackendTest, anUnexpectedEndIsReportedAfterBootHasReturned) {
  MachinePlan made = plan();
  made.exec = {"sh", "-c", "exit 7"};
  boot(made);
  EXPECT_TRUE(exits.empty());
  ASSERT_TRUE(waitForExit());
  EXPECT_EQ(exits[0].exitCode, 7);
  made.exec = {"no-such-program"};
  boot(made);
  ASSERT_TRUE(waitForExit(2));
  EXPECT_EQ(exits[1].exitCode, 127);
}

TEST_F(DockerBackendTest, missingMemoryIsReportedAsSuch) {
  MachinePlan made = plan();
  made.memoryMb = 48;
  made.exec = {"dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"};
  boot(made);
  ASSERT_TRUE(waitForExit());
  EXPECT_EQ(exits[0].signal, SIGKILL);
  EXPECT_TRUE(exits[0].outOfMemory);
}

TEST_F(DockerBackendTest, eachBootHasAFreshRootAndTheSameVolume) {
  runner.run(backend->createVolume("vol1", 1, soon()));
  MachinePlan made = plan();
  made.volumeId = "vol1";
  made.mountPath = "/data";
  boot(made);
  EXPECT_EQ(shell("ls /data"), "lost+found\n") << "a new file system, and nothing of the image";
  shell("echo gone > /root-file; echo kept > /data/file; sync");
  runner.run(backend->stop("m1", "SIGTERM", milliseconds(5'000), soon()));
  boot(made);
  EXPECT_EQ(shell("cat /root-file 2>&1 >/dev/null | wc -l; cat /data/file"), "1\nkept\n");
}

TEST_F(DockerBackendTest, suspendKeepsMemoryAndRoot) {
  boot(plan());
  shell("echo kept > /root-file");
  std::int64_t process = inspect().at("State").at("Pid").as_int64();
  runner.run(backend->suspend("m1", soon()));
  EXPECT_TRUE(inspect().at("State").at("Paused").as_bool());
  EXPECT_TRUE(runner.run(backend->isRunning("m1", soon())));
  runner.run(backend->resume("m1", soon()));
  EXPECT_EQ(shell("cat /root-file"), "kept\n");
  EXPECT_EQ(inspect().at("State").at("Pid").as_int64(), process);
  EXPECT_TRUE(exits.empty());
}

TEST_F(DockerBackendTest, whatIsSuspendedCanBeStoppedAndDestroyed) {
  boot(plan("m1"));
  boot(plan("m2"));
  for (const char* machine : {"m1", "m2"}) runner.run(backend->suspend(machine, soon()));
  runner.run(backend->stop("m1", "SIGTERM", milliseconds(20'000), soon()));
  runner.run(backend->destroy("m2", soon()));
  ASSERT_TRUE(waitForExit());
  EXPECT_EQ(exits[0].signal, SIGKILL) << "its memory is discarded: no process in it receives a signal";
  EXPECT_EQ(errorOf([&] { runner.run(backend->resume("m1", soon())); })->code(), ErrorCode::Conflict);
  EXPECT_EQ(errorOf([&] { runner.run(backend->resume("m2", soon())); })->code(), ErrorCode::NotFound);
}

TEST_F(DockerBackendTest, destroyIsFineInEveryStateAndTakesTheNetworkWithTheLast) {
  boot(plan("m1"));
  boot(plan("m2"));
  runner.run(backend->destroy("m1", soon()));
  EXPECT_EQ(leftovers().size(), 2U) << "the other one and their network";
  runner.run(backend->destroy("m2", soon()));
  runner.run(backend->destroy("m2", soon()));
  runner.run(backend->destroy("never-made", soon()));
  EXPECT_THAT(leftovers(), ::testing::IsEmpty());
  EXPECT_TRUE(exits.empty()) << "an end requested by destroying is not reported";
}

TEST_F(DockerBackendTest, signalsReachTheMainProcess) {
  boot(plan());
  waitUntilMainRuns(kMainRuns);
  runner.run(backend->signal("m1", "SIGUSR1", soon()));
  ASSERT_TRUE(waitForExit());
  EXPECT_EQ(exits[0].exitCode, 3);
  EXPECT_EQ(errorOf([&] { runner.run(backend->signal("m1", "SIGUSR1", soon())); })->code(), ErrorCode::Conflict);
}

TEST_F(DockerBackendTest, processesAreListed) {
  boot(plan());
  waitUntilMainRuns(kMainRuns);
  auto processes = runner.run(backend->processes("m1", soon()));
  bool found = std::ranges::any_of(processes, [](const GuestProcess& process) { return process.command.contains("/bin/main"); });
  EXPECT_TRUE(found);
  EXPECT_GT(processes.front().pid, 0);
}

TEST_F(DockerBackendTest, aMachineMayMountWhatItLikes) {
  boot(plan());
  GuestExecResult result =
      exec({"sh", "-c", "echo bound > /tmp/file && /bin/busybox mount --bind /tmp /home/coder && cat /home/coder/file"});
  EXPECT_EQ(result.stdoutText, "bound\n") << result.stderrText;
}

TEST_F(DockerBackendTest, machinesOfOneNetworkReachOnlyEachOther) {
  boot(plan("m1"));
  boot(plan("m2"));
  MachinePlan other = plan("m3");
  other.network = "another";
  boot(other);
  std::vector<std::string> ping{"ping", "-c", "1", "-W", "2", addressOf("m1")};
  EXPECT_EQ(exec(ping, "m2").exitCode, 0);
  EXPECT_EQ(exec(ping, "m3").exitCode, 1);
}

TEST_F(DockerBackendTest, connectionsLeadToTheMachinesPorts) {
  boot(plan());
  shell("echo page > /tmp/page");
  auto stream = runner.run(backend->connect("m1", 7777, soon()));
  runner.run([](net::Stream& to) -> awaitable<net::IoResult> { return to.writeAll("GET /page HTTP/1.0\r\n\r\n"); }(*stream));
  std::string response(4096, '\0');
  auto got = runner.run(stream->readSome(boost::asio::buffer(response)));
  EXPECT_THAT(response.substr(0, got.bytes), HasSubstr("200 OK"));
  EXPECT_EQ(errorOf([&] { runner.run(backend->connect("m1", 7778, soon())); })->code(), ErrorCode::Unavailable);
  EXPECT_EQ(errorOf([&] { runner.run(backend->connect("m9", 7777, soon())); })->code(), ErrorCode::Unavailable);
}

TEST_F(DockerBackendTest, imagesAreFoundByTheirNameAndThoseOfFlysRegistryByTheirLastPart) {
  auto facts = runner.run(backend->findImage(image, soon()));
  ASSERT_TRUE(facts);
  EXPECT_THAT(facts->digest, ::testing::StartsWith("sha256:"));
  EXPECT_TRUE(runner.run(backend->findImage("registry.fly.io/some-app/" + image, soon())));
  for (const char* missing : {"registry.fly.io/some-app/none:1", "no-such-image:latest", "Bad Name!"}) {
    EXPECT_FALSE(runner.run(backend->findImage(missing, soon()))) << missing;
  }
  MachinePlan made = plan();
  made.image = "no-such-image:latest";
  EXPECT_EQ(errorOf([&] { boot(made); })->code(), ErrorCode::NotFound);
}

TEST_F(DockerBackendTest, aFileThatCannotBePutAnywhereIsRefusedAndNothingIsLeft) {
  MachinePlan made = plan();
  for (std::string path : {std::string("relative"), std::string("/a/../../b"), "/" + std::string(101, 'x')}) {
    made.files = {{path, "x", 0644}};
    EXPECT_EQ(errorOf([&] { boot(made); })->code(), ErrorCode::Unprocessable) << path;
  }
  EXPECT_TRUE(runner.run(backend->machineIds(soon())).empty());
}

TEST_F(DockerBackendTest, aBootWhoseCallerGoesAwayIsFinishedBeforeTheBackendIsClosed) {
  for (int milliseconds_in : {0, 30, 100, 200}) {
    boost::asio::cancellation_signal cancel;
    bool ended = false;
    boost::asio::co_spawn(runner.context(), backend->boot(plan(), soon()),
                          boost::asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr) { ended = true; }));
    Deadline moment = Deadline::after(milliseconds(milliseconds_in));
    runner.waitFor([&] { return moment.hasPassed(); });
    cancel.emit(boost::asio::cancellation_type::terminal);
    EXPECT_TRUE(runner.waitFor([&] { return ended; }));
    closeBackend();
    EXPECT_THAT(runner.run(backend->machineIds(soon())), ::testing::ElementsAre("m1"));
    EXPECT_TRUE(runner.run(backend->isRunning("m1", soon()))) << milliseconds_in;
    runner.run(backend->destroy("m1", soon()));
    openBackend();
  }
}

TEST_F(DockerBackendTest, aRestartedEmulatorFindsWhatRunsAndObservesItsEnd) {
  boot(plan("m1"));
  boot(plan("m2"));
  for (const char* machine : {"m1", "m2"}) waitUntilMainRuns(kMainRuns, machine);
  closeBackend();
  engine.send("POST", "/containers/fly-" + id + "-m2/kill?signal=SIGUSR1");
  engine.send("POST", "/containers/fly-" + id + "-m2/wait");
  openBackend();
  EXPECT_THAT(runner.run(backend->machineIds(soon())), ::testing::UnorderedElementsAre("m1", "m2"));
  EXPECT_TRUE(runner.run(backend->isRunning("m1", soon())));
  EXPECT_FALSE(runner.run(backend->isRunning("m2", soon())));
  EXPECT_EQ(shell("echo here"), "here\n");
  engine.send("POST", "/containers/fly-" + id + "-m1/kill?signal=SIGUSR1");
  ASSERT_TRUE(waitForExit());
  EXPECT_EQ(exits[0].machineId, "m1");
  EXPECT_EQ(exits[0].exitCode, 3);
}

}  // namespace
}  // namespace swarm::emulator
