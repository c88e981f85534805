// What `list`, `show` and `update` report about older images and sizes that are not enforced.
#include <sstream>

#include "cli/output/output.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

std::string workspace(const std::string& outdated) {
  return R"({"id":"i-1","owner":"ada","provider":"docker","status":"running","config":{"name":"web1","image":"swarm-workspace:latest",)"
         R"("storage":[{"size":10,"persistent":true,"mountPath":"/home/coder","volumeName":""},{"size":5,"mountPath":"/data"}]},)"
         R"("url":"http://web1.localhost:7420/","operationId":"","imageOutdated":)" +
         outdated + "}";
}

class Listing : public ::testing::Test {
 protected:
  void expect(const std::string& outdated, const std::string& enforces = "true") {
    api_.on("GET /api/instances?limit=500", 200, {R"({"items":[)" + workspace(outdated) + "]}"});
    api_.on("GET /api/instances/web1", 200, {workspace(outdated)});
    api_.on("GET /api/providers/docker", 200, {R"({"type":"docker","capabilities":{"enforcesStorage":)" + enforces + "}}"});
  }
  Ran run(std::vector<std::string> words) { return runCommand(api_, std::move(words)); }
  ApiDouble api_;
};

TEST_F(Listing, marksAnOlderImageAndNamesTheCommandThatReplacesIt) {
  expect("true");
  const Ran listed = run({"list"});
  EXPECT_NE(listed.out.find("running* "), std::string::npos) << listed.out;
  EXPECT_NE(listed.err.find("swarm update NAME --refresh-image"), std::string::npos) << listed.err;
  const Ran shown = run({"show", "web1"});
  EXPECT_NE(shown.out.find("newer image  available; to use it: swarm update web1 --refresh-image\n"), std::string::npos) << shown.out;
  expect("false");
  EXPECT_EQ(run({"list"}).out.find('*'), std::string::npos);
  EXPECT_EQ(run({"list"}).err, "");
  EXPECT_EQ(run({"show", "web1"}).out.find("newer image"), std::string::npos);
}

TEST_F(Listing, reportsWhereTheSizeOfAVolumeIsNotEnforced) {
  expect("true", "false");
  const Ran listed = run({"list"});
  EXPECT_NE(listed.out.find("DISK"), std::string::npos) << listed.out;
  EXPECT_NE(listed.out.find("15 GiB"), std::string::npos) << listed.out;
  EXPECT_NE(listed.err.find("not enforced at Docker"), std::string::npos) << listed.err;
  std::istringstream lines(listed.err);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(displayWidth(line), 80u) << line;
  EXPECT_NE(run({"show", "web1"}).out.find("10 GiB (not enforced by the provider)"), std::string::npos);
  expect("false", "true");
  EXPECT_EQ(run({"list"}).err, "");
}

TEST_F(Listing, aCreateWithASizeReportsThatItIsNotEnforced) {
  expect("false", "false");
  api_.on("POST /api/instances", 202, {workspace("false")});
  EXPECT_NE(run({"create", "web1", "--disk", "20", "--no-wait"}).err.find("not enforced at Docker"), std::string::npos);
  EXPECT_EQ(run({"create", "web1", "--no-wait"}).err.find("not enforced"), std::string::npos) << "no size was given";
}

TEST_F(Listing, refreshImageReportsTheRestartBeforeAndTheResultAfterwards) {
  expect("true");
  api_.on("PUT /api/instances/i-1?dryRun=true&refreshImage=true", 200,
          {R"({"effect":"restart","drops":{"files":0,"more":false,"folders":[]}})"});
  api_.on("PUT /api/instances/web1?refreshImage=true", 200, {workspace("false")});
  const StandardInput terminal = StandardInput::terminal("y\n");
  const Ran ran = run({"update", "web1", "--refresh-image"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("web1 must be restarted for this"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("web1 is changing to the current version of swarm-workspace:latest."), std::string::npos) << ran.err;
  EXPECT_EQ(api_.bodyOf("PUT /api/instances/web1?refreshImage=true"), boost::json::object());
}

}  // namespace
}  // namespace swarm::cli::testing
