// `swarm snapshot` with snapshots that Fly takes automatically.
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

const std::string kOurs =
    R"({"id":"i-9","name":"monday","instanceId":"i-1","instanceName":"web1","owner":"ada","provider":"flyio","region":"ams",
        "createdAt":"2026-01-01T00:00:00Z","files":3,"bytes":2048,"automatic":false,"expiresAt":null})";
const std::string kFlys =
    R"({"id":"vs_abc","name":"vs_abc","instanceId":"i-1","instanceName":"web1","owner":"ada","provider":"flyio","region":"ams",
        "createdAt":"2026-01-02T00:00:00Z","files":0,"bytes":9,"automatic":true,"expiresAt":"2026-01-16T00:00:00Z"})";
const std::string kBegun =
    R"({"id":"i-1","owner":"ada","provider":"flyio","status":"running","config":{"name":"web1"},"operationId":"op-1"})";

class SnapshotVerbs : public ::testing::Test {
 protected:
  SnapshotVerbs() {
    api_.on("GET /api/snapshots", 200, {R"({"items":[)" + kOurs + "]}"});
    api_.on("GET /api/instances/web1/snapshots", 200, {R"({"items":[)" + kOurs + "," + kFlys + "]}"});
  }
  ApiDouble api_;
};

TEST_F(SnapshotVerbs, listMarksFlysOwnWithWhenTheyExpire) {
  const Ran ran = runCommand(api_, {"snapshot", "list", "web1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("EXPIRES"), std::string::npos);
  EXPECT_NE(ran.out.find("2026-01-16T00:00:00.000Z (Fly.io's own)"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("monday"), std::string::npos);
  EXPECT_EQ(runCommand(api_, {"snapshot", "list"}).out.find("vs_abc"), std::string::npos);
  EXPECT_EQ(runCommand(api_, {"snapshot", "list", "web1", "-o", "name"}).out, "i-9\nvs_abc\n");
}

TEST_F(SnapshotVerbs, listSaysThatFlysAreMissingAndShowsTheRest) {
  api_.on("GET /api/instances/web1/snapshots", 200,
          {R"({"items":[)" + kOurs + R"(],"missing":"The snapshots that Fly.io takes automatically are missing: it is down."})"});
  const Ran ran = runCommand(api_, {"snapshot", "list", "web1"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_NE(ran.err.find("are missing"), std::string::npos);
  EXPECT_NE(ran.out.find("monday"), std::string::npos);
}

TEST_F(SnapshotVerbs, listOfADeletedWorkspaceHasWhatItLeft) {
  api_.on("GET /api/instances/web1/snapshots", 404, {R"({"code":"not_found","detail":"There is no instance."})"});
  const Ran ran = runCommand(api_, {"snapshot", "list", "web1"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_NE(ran.out.find("monday"), std::string::npos);
}

TEST_F(SnapshotVerbs, restoreTakesFlysIdAsItIs) {
  api_.on("POST /api/instances/web1/restore", 202, {kBegun});
  const Ran ran = runCommand(api_, {"snapshot", "restore", "web1", "vs_abc", "--no-wait"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(api_.bodyOf("POST /api/instances/web1/restore"), boost::json::parse(R"({"snapshot":"vs_abc"})"));
  EXPECT_NE(ran.err.find("Restoring the files of vs_abc in web1"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("such as installed packages, which are lost"), std::string::npos) << ran.err;
}

TEST_F(SnapshotVerbs, restoreStillTakesNamesOfOurs) {
  api_.on("POST /api/instances/web1/restore", 202, {kBegun});
  ASSERT_EQ(runCommand(api_, {"snapshot", "restore", "web1", "monday", "--no-wait"}).code, 0);
  EXPECT_EQ(api_.bodyOf("POST /api/instances/web1/restore"), boost::json::parse(R"({"snapshot":"i-9"})"));
}

TEST_F(SnapshotVerbs, restoreOfAnUnknownSnapshotIsNotFound) {
  api_.on("POST /api/instances/web1/restore", 422, {R"({"code":"unprocessable","detail":"There is no snapshot \"x\" of web1.",
               "errors":[{"pointer":"/snapshot","detail":"is not known"}]})"});
  const Ran ran = runCommand(api_, {"snapshot", "restore", "web1", "x"});
  EXPECT_EQ(ran.code, kNotFound);
  EXPECT_NE(ran.err.find("There is no snapshot \"x\" of web1."), std::string::npos) << ran.err;
  api_.on("POST /api/instances/web1/restore", 422, {R"({"code":"unprocessable","detail":"Its disk is full."})"});
  EXPECT_EQ(runCommand(api_, {"snapshot", "restore", "web1", "monday"}).code, kFailed);
}

TEST_F(SnapshotVerbs, deleteTakesTheWorkspaceFirstAsRestoreDoes) {
  api_.on("DELETE /api/snapshots/i-9", 204, {""});
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"web1", "monday"}, {"i-1", "monday"}, {"monday"}, {"web1/monday"}}) {
    std::vector<std::string> line{"snapshot", "delete", "--yes"};
    line.insert(line.end(), words.begin(), words.end());
    const Ran ran = runCommand(api_, line);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.err, "monday was deleted.\n");
  }
  const Ran unknown = runCommand(api_, {"snapshot", "delete", "web1", "tuesday", "--yes"});
  EXPECT_EQ(unknown.code, kNotFound) << unknown.err;
}

TEST_F(SnapshotVerbs, deleteRefusesAWordThatIsAWorkspaceAndASnapshot) {
  std::string same = kOurs;
  same.replace(same.find("monday"), 6, "web1");
  api_.on("GET /api/snapshots", 200, {R"({"items":[)" + same + "]}"});
  const Ran ran = runCommand(api_, {"snapshot", "delete", "web1", "tuesday", "--yes"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_NE(ran.err.find("Use WORKSPACE/NAME"), std::string::npos) << ran.err;
}

TEST_F(SnapshotVerbs, deleteOfFlysReportsTheErrorOfTheServer) {
  api_.on("DELETE /api/snapshots/vs_abc", 422, {R"({"code":"unprocessable","detail":"Fly.io deletes it automatically."})"});
  const Ran ran = runCommand(api_, {"snapshot", "delete", "vs_abc", "--yes"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_NE(ran.err.find("Fly.io deletes it automatically."), std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("was deleted"), std::string::npos);
  EXPECT_EQ(runCommand(api_, {"snapshot", "delete", "nothing", "--yes"}).code, kNotFound);
}

}  // namespace
}  // namespace swarm::cli::testing
