// `swarm usage`: one workspace, all of them, and the live table.
#include "cli/output/sparkline.h"
#include "cli/output/table.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

const std::string kAll = R"({"items":[)"
                         R"({"instanceId":"i-1","name":"idle","owner":"ada","provider":"docker","at":"2026-05-01T11:55:00.000Z",)"
                         R"("cpu":{"usage":0.4,"limit":2000},"memory":{"usage":100,"limit":4096},"storage":{"usage":1.5,"limit":10},)"
                         R"("network":{"received":0,"sent":512},"recentCpu":[0.1,0.4]},)"
                         R"({"instanceId":"i-2","name":"busy","owner":"bob","provider":"docker","at":"2026-05-01T11:55:00.000Z",)"
                         R"("cpu":{"usage":187.6,"limit":2000},"memory":{"usage":3000,"limit":4096},"storage":{"usage":4,"limit":10},)"
                         R"("network":{"received":2097152,"sent":1024},"recentCpu":[10,100,187.6]}]})";

const std::string kHistory =
    R"({"cpu":{"usage":1,"limit":2000},"memory":{"usage":1,"limit":4096},"storage":{"usage":1,"limit":10},"network":{"received":5,"sent":6},)"
    R"("history":{"from":"2026-05-01T11:00:00.000Z","to":"2026-05-01T12:00:00.000Z","step":120,"points":[)"
    R"({"at":"2026-05-01T11:56:00.000Z","cpu":20,"memory":100,"cpuMax":99,"memoryMax":300,"storage":1,)"
    R"("network":{"received":8192,"sent":0}},)"
    R"({"at":"2026-05-01T11:58:00.000Z","cpu":40,"memory":200,"cpuMax":41,"memoryMax":201,"storage":1.5,)"
    R"("network":{"received":4096,"sent":0}}]}})";

class UsageVerb : public ::testing::Test {
 protected:
  /// The request of the history: its times depend on the clock.
  std::string historyLine() {
    for (const Received& one : api_.received())
      if (one.line.find("/usage?") != std::string::npos) return one.line;
    return "";
  }
  void expectInstance(const std::string& status) {
    api_.on("GET /api/instances/web1", 200, {R"({"id":"i-1","status":")" + status + R"(","config":{"name":"web1"}})"});
    api_.on("GET /api/instances/i-1/usage?from=*", 200, {kHistory});
    api_.on("GET /api/instances/i-1/usage", 200,
            {R"({"cpu":{"usage":12.34,"limit":2000},"memory":{"usage":512,"limit":4096},"storage":{"usage":1.5,"limit":10},)"
             R"("network":{"received":5,"sent":6}})"});
  }
  ApiDouble api_;
};

TEST(Sparkline, scalesToTheHighestValueAndShowsGaps) {
  using Values = std::vector<std::optional<double>>;
  EXPECT_EQ(sparkline(Values{0, 25, 50, 100}, 0), "▁▃▅█");
  EXPECT_EQ(sparkline(Values{0, std::nullopt, 1}, 100), "▁ ▁") << "not below the given top";
  EXPECT_EQ(sparkline(Values{0, 0}, 0), "▁▁");
  EXPECT_EQ(sparkline(Values{}, 1), "");
}

TEST_F(UsageVerb, listsTheBusiestWorkspaceFirst) {
  api_.on("GET /api/usage?limit=1000", 200, {kAll});
  const Ran ran = runCommand(api_, {"usage"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_LT(ran.out.find("busy"), ran.out.find("idle")) << ran.out;
  for (const char* part : {"188 %", "2.9 GB of 4.0 GB", "4.0 GB", "2.0 MB/s", "▁▅█", "0.4 %", "512 B/s"})
    EXPECT_NE(ran.out.find(part), std::string::npos) << part << "\n" << ran.out;
  EXPECT_EQ(runCommand(api_, {"usage", "-o", "name"}).out, "busy\nidle\n");
  EXPECT_EQ(boost::json::parse(runCommand(api_, {"usage", "-o", "json"}).out).as_array().size(), 2U);
}

TEST_F(UsageVerb, reportsWhereThereIsNoSample) {
  api_.on("GET /api/usage?limit=1000", 200, {R"({"items":[]})"});
  const Ran ran = runCommand(api_, {"usage"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_NE(ran.err.find("no samples of running workspaces"), std::string::npos) << ran.err;
}

TEST_F(UsageVerb, fitsATerminalOf80Columns) {
  api_.on("GET /api/usage?limit=1000", 200, {kAll});
  std::istringstream lines(runOnTerminal(api_, {"usage"}, 80));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(displayWidth(line), 80U) << line;
}

TEST_F(UsageVerb, showsOneWorkspaceNowAndOverTime) {
  expectInstance("running");
  const Ran ran = runCommand(api_, {"usage", "web1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(historyLine().find("step=120"), std::string::npos) << historyLine() << ": an hour in 30 bars";
  std::vector<std::string> lines;
  std::istringstream text(ran.out);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 6U) << ran.out;
  EXPECT_NE(lines[0].find("LAST HOUR"), std::string::npos) << lines[0];
  for (const char* part : {"CPU", "12 %", "200 %", "▅█", "99 %"}) EXPECT_NE(lines[1].find(part), std::string::npos) << lines[1];
  for (const char* part : {"memory", "512.0 MB", "4.0 GB", "300.0 MB"}) EXPECT_NE(lines[2].find(part), std::string::npos) << lines[2];
  for (const char* part : {"storage", "1.5 GB", "10.0 GB"}) EXPECT_NE(lines[3].find(part), std::string::npos) << lines[3];
  for (const char* part : {"received", "4 KB/s", "8 KB/s"}) EXPECT_NE(lines[4].find(part), std::string::npos) << lines[4];
  EXPECT_TRUE(boost::json::parse(runCommand(api_, {"usage", "web1", "-o", "json"}).out).as_object().contains("history"));
}

TEST_F(UsageVerb, ratesAreUnknownBeforeTheFirstSample) {
  expectInstance("running");
  api_.on("GET /api/instances/i-1/usage?from=*", 200, {R"({"history":{"to":"2026-05-01T12:00:00.000Z","step":120,"points":[]}})"});
  const Ran ran = runCommand(api_, {"usage", "web1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("received  - "), std::string::npos) << ran.out;
}

TEST_F(UsageVerb, aStoppedWorkspaceHasAHistoryAlone) {
  expectInstance("stopped");
  const Ran ran = runCommand(api_, {"usage", "web1", "--since", "7d"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(historyLine().find("step=20700"), std::string::npos) << historyLine() << ": whole quarters of an hour";
  EXPECT_NE(ran.out.find("SINCE 7d"), std::string::npos) << ran.out;
  EXPECT_EQ(ran.out.find("12 %"), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("web1 is stopped"), std::string::npos) << ran.err;
  for (const Received& one : api_.received()) EXPECT_NE(one.line, "GET /api/instances/i-1/usage") << "nothing is measured";
}

TEST_F(UsageVerb, theLiveTableIsDrawnAgainUntilAnError) {
  api_.on("GET /api/usage?limit=1000", 200, {kAll, R"({"items":[]})", "not JSON"});
  const std::string shown = runOnTerminal(api_, {"usage", "--watch", "--interval", "1"}, 80);
  const std::string clear = "\033[H\033[J";
  const auto first = shown.find(clear);
  ASSERT_NE(first, std::string::npos) << shown;
  EXPECT_NE(shown.find(clear, first + 1), std::string::npos) << shown;
}

TEST_F(UsageVerb, refusesFlagsThatDoNotGoTogether) {
  EXPECT_EQ(runCommand(api_, {"usage", "--watch", "-o", "json"}).code, 2);
  EXPECT_EQ(runCommand(api_, {"usage", "--since", "1d"}).code, 2);
  EXPECT_EQ(runCommand(api_, {"usage", "web1", "--interval", "0", "--watch"}).code, 2);
  EXPECT_TRUE(api_.received().empty());
}

}  // namespace
}  // namespace swarm::cli::testing
