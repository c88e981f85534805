// `swarm quota`.
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

const std::string kServer =
    R"({"scope":"swarm","name":"","limits":{"memory":65536},"sources":{"memory":"[limits] of the server's configuration"},)"
    R"("used":{"instances":3,"cpu":4.5,"memory":12288,"storage":30}})";
const std::string kAda =
    R"({"scope":"user","name":"ada","limits":{"cpu":8.0},"sources":{"cpu":"swarm quota set user ada"},"quota":{"cpu":8.0},)"
    R"("used":{"instances":1,"cpu":2.0,"memory":4096,"storage":10}})";
const std::string kRole = R"({"scope":"role","name":"user","limits":{"instances":5},"sources":{},"quota":{"instances":5}})";
constexpr const char* kGetAda = "GET /api/quotas/user/ada";

std::string items(const std::string& rows) { return R"({"items":[)" + rows + "]}"; }

TEST(QuotaVerb, listsWhatIsHeldWithTheLimits) {
  ApiDouble api;
  api.on("GET /api/quotas", 200, {items(kServer + "," + kAda + "," + kRole)});
  const Ran ran = runCommand(api, {"quota"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  for (const char* part : {"server", "12288/65536", "user ada", "2/8", "role user", "-/5"})
    EXPECT_NE(ran.out.find(part), std::string::npos) << ran.out;
  EXPECT_EQ(runCommand(api, {"quota", "list", "-o", "name"}).out, "server\nuser ada\nrole user\n");
}

TEST(QuotaVerb, showsWhatDecides) {
  ApiDouble api;
  api.on(kGetAda, 200, {items(kAda)});
  const Ran ran = runCommand(api, {"quota", "show", "user", "ada"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("user ada: cpu is decided by swarm quota set user ada"), std::string::npos) << ran.out;
  const Ran json = runCommand(api, {"quota", "show", "user", "ada", "-o", "json"});
  EXPECT_EQ(boost::json::parse(json.out).at(0).at("quota").at("cpu").to_number<double>(), 8);
}

TEST(QuotaVerb, setsTheNamedLimitsAndKeepsTheOthers) {
  ApiDouble api;
  api.on(kGetAda, 200, {items(kAda)});
  api.on("PUT /api/quotas/user/ada", 200, {items(kAda)});
  const Ran ran = runCommand(api, {"quota", "set", "user", "ada", "--memory", "16g", "--workspaces", "0"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(api.bodyOf("PUT /api/quotas/user/ada"), boost::json::parse(R"({"limits":{"instances":0,"cpu":8.0,"memory":16384}})"));
  EXPECT_EQ(runCommand(api, {"quota", "set", "user", "ada", "--memory", "0"}).code, 0) << "no limit";
  EXPECT_EQ(runCommand(api, {"quota", "set", "user", "ada"}).code, 2) << "no limit is named";
  EXPECT_EQ(runCommand(api, {"quota", "set", "team", "ada", "--cpus", "2"}).code, 2);
}

TEST(QuotaVerb, removes) {
  ApiDouble api;
  api.on("DELETE /api/quotas/member/devs", 204, {""});
  const Ran ran = runCommand(api, {"quota", "remove", "member", "devs"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("The quota of member devs was removed."), std::string::npos);
}

}  // namespace
}  // namespace swarm::cli::testing
