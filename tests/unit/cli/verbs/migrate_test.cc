// `swarm migrate`: its requests, its progress, and its result on stdout. And the calls of the library behind it.
#include <csignal>

#include "cli/output/output.h"
#include "cli/output/progress.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

constexpr const char* kBegin = "POST /api/instances/web1/migrate";
const std::string kMoving =
    R"({"id":"i-1","owner":"ada","provider":"docker","status":"running","config":{"name":"web1"},"operationId":"op-1"})";
const std::string kMoved =
    R"({"id":"i-1","owner":"ada","provider":"flyio","region":"ams","status":"running","config":{"name":"web1"},
        "url":"http://web1.localhost:7420/","operationId":""})";

std::string operationText(const std::string& status, const std::string& rest) {
  return R"({"id":"op-1","kind":"migrate","instanceId":"i-1","instanceName":"web1","status":")" + status + R"(",)" + rest + "}";
}

const std::string kCopying = operationText("running", R"("steps":[
  {"name":"plan","status":"succeeded","startedAt":"2026-01-01T00:00:00Z","endedAt":"2026-01-01T00:00:01Z"},
  {"name":"copy","status":"running","startedAt":"2026-01-01T00:00:01Z","bytesDone":5,"bytesTotal":10}])");
const std::string kSucceeded = operationText("succeeded", R"("steps":[
  {"name":"plan","status":"succeeded","startedAt":"2026-01-01T00:00:00Z","endedAt":"2026-01-01T00:00:01Z"},
  {"name":"copy","status":"succeeded","startedAt":"2026-01-01T00:00:01Z","endedAt":"2026-01-01T00:00:03Z","detail":"It is done later."}])");

class Migrate : public ::testing::Test {
 protected:
  void expectMove(std::vector<std::string> operations, const std::string& after = kMoved) {
    api_.on(kBegin, 202, {kMoving});
    api_.on("GET /api/operations/op-1", 200, std::move(operations));
    api_.on("GET /api/instances/i-1", 200, {after});
  }
  ApiDouble api_;
};

TEST_F(Migrate, waitsWithTheStepsOnStderrAndLeavesOnlyTheUrlOnStdout) {
  expectMove({kCopying, kSucceeded});
  const Ran ran = runCommand(api_, {"migrate", "web1", "--to", "flyio", "--region", "ams"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "http://web1.localhost:7420/\n");
  EXPECT_NE(ran.err.find("swarm operations cancel op-1"), std::string::npos);
  EXPECT_NE(ran.err.find("such as installed packages, do not move"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("✓ plan"), std::string::npos);
  EXPECT_NE(ran.err.find("2.00 s  It is done later."), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("web1 is at Fly.io (ams) now."), std::string::npos);
  EXPECT_EQ(ran.err.find("\033"), std::string::npos) << "nothing is redrawn where no terminal is";
  EXPECT_EQ(api_.bodyOf(kBegin), boost::json::parse(R"({"targetProvider":"flyio","region":"ams"})"));
}

TEST_F(Migrate, sendsEveryOptionAndLeavesResourcesThatWereNotGivenAsTheyAre) {
  expectMove({kSucceeded});
  api_.on("GET /api/instances/web1", 200,
          {R"({"id":"i-1","config":{"name":"web1","resources":{"cpu":{"cores":2},"memory":{"max":4096},"storage":{"size":10}}}})"});
  const Ran ran = runCommand(api_, {"migrate", "--keep-source=48", "web1", "--to", "docker", "--region", "box2", "--limit", "10M",
                                    "--memory", "8g", "--storage", "20"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const boost::json::value body = api_.bodyOf(kBegin);
  EXPECT_EQ(body.at("keepSource"), true);
  EXPECT_EQ(body.at("keepHours"), 48);
  EXPECT_EQ(body.at("bandwidthLimit"), 10 * 1024 * 1024);
  EXPECT_EQ(body.at("resources").at("memory").at("max"), 8192);
  EXPECT_EQ(body.at("resources").at("storage").at("size"), 20);
  EXPECT_FALSE(body.at("resources").as_object().contains("cpu"));
}

TEST_F(Migrate, keepSourceWithoutHoursIsADayAndTakesNoWordFromTheLine) {
  expectMove({kSucceeded},
             R"({"id":"i-1","provider":"flyio","region":"ams","status":"running","config":{"name":"web1"},"url":"u",
                 "keptSource":{"provider":"docker","region":"","until":"2026-01-02T00:00:00Z"}})");
  const Ran ran = runCommand(api_, {"migrate", "--to", "flyio", "--keep-source", "web1"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(api_.bodyOf(kBegin).at("keepHours"), 24);
  EXPECT_NE(ran.err.find("The old place, Docker, is kept until 2026-01-02"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("swarm migrate web1 --back"), std::string::npos);
}

TEST_F(Migrate, goesBackWithoutSayingWhere) {
  expectMove({kSucceeded});
  EXPECT_EQ(runCommand(api_, {"migrate", "web1", "--back"}).code, 0);
  EXPECT_EQ(api_.bodyOf(kBegin), boost::json::parse(R"({"back":true})"));
}

TEST_F(Migrate, isWrongUseWithoutAPlaceOrWithBackAndAPlace) {
  EXPECT_EQ(runCommand(api_, {"migrate", "web1"}).code, kWrongUse);
  EXPECT_EQ(runCommand(api_, {"migrate", "web1", "--back", "--to", "docker"}).code, kWrongUse);
  EXPECT_EQ(runCommand(api_, {"migrate", "web1", "--to", "docker", "--keep-source=soon"}).code, kWrongUse);
  EXPECT_TRUE(api_.received().empty());
}

TEST_F(Migrate, reportsWhyItFailedAlsoInItsExitCode) {
  expectMove({operationText(
      "failed", R"("steps":[],"error":{"code":"out_of_resources","message":"The disk of the target is full.","retryable":false})")});
  const Ran ran = runCommand(api_, {"migrate", "web1", "--to", "flyio"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("The disk of the target is full."), std::string::npos);
  EXPECT_EQ(runCommand(api_, {"migrate", "absent", "--to", "flyio"}).code, kNotFound);
}

TEST_F(Migrate, returnsAtOnceWhenItIsNotToWait) {
  expectMove({kCopying});
  const Ran ran = runCommand(api_, {"migrate", "web1", "--to", "flyio", "--no-wait"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "web1\n");
  EXPECT_NE(ran.err.find("swarm operations follow op-1"), std::string::npos);
}

const std::string kPlan = R"({"from":{"provider":"docker","region":""},"to":{"provider":"flyio","region":"ams"},"fits":false,
  "problems":["A volume of 2 TiB is more than Fly.io has."],"changes":[{"what":"memory","from":"3 GiB","to":"4 GiB"}],"files":100000,
  "bytes":5368709120,"expectedSeconds":130,"expectedPauseSeconds":4,"costNotes":["About 31 USD a month."],"usesKeptSource":true,
  "skipped":[{"path":"/home/coder/x.sock","reason":"a socket"}],"skippedCount":3})";

TEST_F(Migrate, printsThePlanOfADryRunAsATableAndFailsWhenItDoesNotFit) {
  api_.on(kBegin, 200, {kPlan});
  const Ran ran = runCommand(api_, {"migrate", "web1", "--to", "flyio", "--region", "ams", "--dry-run"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_EQ(api_.bodyOf(kBegin), boost::json::parse(R"({"targetProvider":"flyio","region":"ams","dryRun":true})"));
  EXPECT_EQ(ran.out,
            "web1: Docker → Fly.io (ams)\n"
            "fits       no\n"
            "problem    A volume of 2 TiB is more than Fly.io has.\n"
            "moves      100,000 files, 5.0 GB\n"
            "takes      about 2 min; VS Code is away for about 4 s of it\n"
            "           files that are still at the old place are not copied again\n"
            "cost       About 31 USD a month.\n"
            "\n"
            "CHANGES  FROM   TO\n"
            "memory   3 GiB  4 GiB\n"
            "\n"
            "LEFT OUT            WHY\n"
            "/home/coder/x.sock  a socket\n"
            "and 2 more\n");
}

TEST_F(Migrate, givesThePlanAsJsonToPrograms) {
  api_.on(kBegin, 200, {kPlan});
  const Ran ran = runCommand(api_, {"migrate", "web1", "--to", "flyio", "--dry-run", "-o", "json"});
  EXPECT_EQ(boost::json::parse(ran.out), boost::json::parse(kPlan));
}

TEST_F(Migrate, isShownByListAndShow) {
  const std::string instance =
      R"({"id":"i-1","owner":"ada","provider":"flyio","region":"ams","status":"running","config":{"name":"web1"},
          "keptSource":{"provider":"docker","region":"box2","until":"2999-01-02T00:00:00Z"}})";
  api_.on("GET /api/instances/web1", 200, {instance});
  api_.on("GET /api/instances?limit=500", 200, {R"({"items":[)" + instance + "]}"});
  const std::string shown = runCommand(api_, {"show", "web1"}).out;
  EXPECT_NE(shown.find("region       ams"), std::string::npos) << shown;
  EXPECT_NE(shown.find("Docker (box2), for "), std::string::npos) << shown;
  EXPECT_NE(shown.find("swarm migrate web1 --back"), std::string::npos) << shown;
  const std::string listed = runCommand(api_, {"list"}).out;
  EXPECT_NE(listed.find("PLACE"), std::string::npos);
  EXPECT_NE(listed.find("Fly.io (ams)"), std::string::npos);
}

TEST_F(Migrate, switchProviderWaitsForTheEndAndThrowsTheMovesError) {
  expectMove({kCopying, kSucceeded});
  ClientConfig config;
  config.url = api_.url();
  SwarmClient client(config);
  EXPECT_EQ(client.switchProvider("web1", ProviderType::flyio).region, "ams");
  expectMove({operationText("failed", R"("steps":[],"error":{"code":"out_of_resources","message":"Full.","retryable":false})")});
  try {
    client.switchProvider("web1", ProviderType::flyio);
    FAIL() << "it did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::OutOfResources);
  }
  expectMove({operationText("cancelled", R"("steps":[])")});
  EXPECT_THROW(client.switchProvider("web1", ProviderType::flyio), Error);
}

OperationStep runningStep(const std::string& name) {
  OperationStep step;
  step.name = name;
  step.status = OperationStatus::running;
  step.startedAt = SystemTime{std::chrono::milliseconds(1000)};
  return step;
}

OperationStep copyStep() {
  OperationStep step = runningStep("copy");
  step.bytesDone = std::int64_t{1} << 30;
  step.bytesTotal = std::int64_t{4} << 30;
  step.filesDone = 12'345;
  step.filesTotal = 100'000;
  step.bytesPerSecond = 64 << 20;
  step.detail = "12,345 of 100,000 files, 67.1 MB/s, about 49 s left";
  return step;
}

TEST(LiveLine, hasBarBytesFilesRateAndTimeLeft) {
  EXPECT_EQ(liveStepLine(copyStep(), SystemTime{std::chrono::milliseconds(3500)}, 0),
            "  … copy  [███░░░░░░░░░]  25 %  1.0 GB of 4.0 GB  12,345 of 100,000 files  64.0 MB/s  about 49 s left  2.50 s");
}

TEST(LiveLine, showsADetailThatIsMoreThanTheNumbers) {
  OperationStep step = copyStep();
  step.detail = "The connection was cut; going on in a moment";
  EXPECT_NE(liveStepLine(step, SystemTime{}, 0).find("The connection was cut"), std::string::npos);
}

TEST(EndedLine, hasFilesBytesAndTheRateOverTheWholeStep) {
  OperationStep step = copyStep();
  step.status = OperationStatus::succeeded;
  step.filesDone = step.filesTotal = 100'000;
  step.bytesDone = step.bytesTotal;
  step.detail = "100,000 of 100,000 files, 12.0 MB/s";
  step.endedAt = step.startedAt + std::chrono::seconds(64);
  EXPECT_EQ(endedStepLine(step), "  ✓ copy                                 64.00 s  100,000 files, 4.0 GB, 64.0 MB/s");
}

TEST(EndedLine, keepsWhatItWasDoingLastOnlyWhereItFailed) {
  OperationStep step = runningStep("retire source");
  step.endedAt = step.startedAt + std::chrono::seconds(1);
  step.detail = "stop Machine";
  step.status = OperationStatus::succeeded;
  EXPECT_EQ(endedStepLine(step), "  ✓ retire source                         1.00 s");
  step.status = OperationStatus::failed;
  EXPECT_EQ(endedStepLine(step), "  ✗ retire source                         1.00 s  stop Machine");
  step.status = OperationStatus::succeeded;
  step.detail = "It is done later: Fly.io can't be reached.";
  EXPECT_NE(endedStepLine(step).find("It is done later"), std::string::npos);
}

TEST(LiveLine, leavesOutTheLeastImportantUntilItFitsOneLineOfTheTerminal) {
  for (int columns = 2; columns < 140; ++columns) {
    EXPECT_LT(displayWidth(liveStepLine(copyStep(), SystemTime{}, columns)), static_cast<std::size_t>(columns)) << columns;
  }
  const std::string line = liveStepLine(copyStep(), SystemTime{}, 80);
  EXPECT_NE(line.find(" 25 %"), std::string::npos);
  EXPECT_NE(line.find("about 49 s left"), std::string::npos);
  EXPECT_EQ(line.find("files"), std::string::npos);
}

TEST_F(Migrate, saysOnceWhatItWaitsForWhereNothingCanBeDrawn) {
  const std::string waiting = operationText(
      "running", R"("steps":[{"name":"copy","status":"running","startedAt":"2026-01-01T00:00:01Z","detail":"Fly.io can't be reached."}])");
  expectMove({waiting, waiting, kSucceeded});
  const Ran ran = runCommand(api_, {"migrate", "web1", "--to", "flyio"});
  const std::size_t first = ran.err.find("Fly.io can't be reached.");
  ASSERT_NE(first, std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("Fly.io can't be reached.", first + 1), std::string::npos) << ran.err;
}

TEST(LiveLine, cutsWhyItWaitsRatherThanLeaveItOut) {
  OperationStep step = copyStep();
  step.detail = "The connection was cut; the move goes on when Fly.io can be reached again.";
  EXPECT_NE(liveStepLine(step, SystemTime{}, 60).find("The connection"), std::string::npos) << liveStepLine(step, SystemTime{}, 60);
}

TEST(LiveLine, showsTimeAndDetailWhereNothingIsCounted) {
  OperationStep step = runningStep("pull image");
  step.detail = "layer 3 of 7";
  EXPECT_EQ(liveStepLine(step, SystemTime{std::chrono::milliseconds(2000)}, 0), "  … pull image  1.00 s  layer 3 of 7");
}

TEST(InterruptNotice, saysHowToGoOnAndEndsAsTheSignalDoes) {
  EXPECT_EXIT(
      {
        ::signal(SIGINT, SIG_DFL);  // a background job of a shell ignores it, and so does what it starts
        const InterruptNotice notice("It goes on.\n");
        ::raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "It goes on.");
}

}  // namespace
}  // namespace swarm::cli::testing
