// `swarm ports`.
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

constexpr const char* kList = "GET /api/instances/web1/ports";
constexpr const char* kPut = "PUT /api/instances/web1/ports/3000";
constexpr const char* kDelete = "DELETE /api/instances/web1/ports/3000";
const std::string kPort = R"({"port":3000,"level":"public","expiresAt":")" + formatTime(RealClock().now() + std::chrono::hours(8)) +
                          R"(","url":"http://3000.web1.localhost:7420/"})";

TEST(PortsVerb, listsThoseThatAreOpenToOthers) {
  ApiDouble api;
  api.on(kList, 200, {R"({"items":[)" + kPort + "]}", R"({"items":[]})"});
  const Ran list = runCommand(api, {"ports", "web1"});
  EXPECT_EQ(list.code, 0) << list.err;
  for (const char* part : {"3000", "public", "in 8 h", "http://3000.web1.localhost:7420/"})
    EXPECT_NE(list.out.find(part), std::string::npos) << list.out;
  EXPECT_NE(runCommand(api, {"ports", "web1"}).err.find("swarm ports web1 PORT --to shared"), std::string::npos);
}

TEST(PortsVerb, opensAPortForATime) {
  ApiDouble api;
  api.on(kPut, 200, {kPort});
  const Ran ran = runCommand(api, {"ports", "web1", "3000", "--to", "public", "--for", "8h"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "http://3000.web1.localhost:7420/\n");
  EXPECT_NE(ran.err.find("Port 3000 of web1 opens without a sign-in, ends in 8 h."), std::string::npos) << ran.err;
  const boost::json::value body = api.bodyOf(kPut);
  EXPECT_EQ(body.at("level").as_string(), "public");
  EXPECT_GT(parseTime(std::string(body.at("expiresAt").as_string())) - RealClock().now(), std::chrono::minutes(479));
}

TEST(PortsVerb, opensAPortUntilItIsChanged) {
  ApiDouble api;
  api.on(kPut, 200, {kPort});
  ASSERT_EQ(runCommand(api, {"ports", "web1", "3000", "--to", "signed-in"}).code, 0);
  EXPECT_EQ(api.bodyOf(kPut), boost::json::parse(R"({"level":"signed-in"})"));
}

TEST(PortsVerb, closesAPort) {
  ApiDouble api;
  api.on(kDelete, 204, {""});
  const Ran ran = runCommand(api, {"ports", "web1", "3000", "--to", "owner"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("opens to its owner only"), std::string::npos);
}

TEST(PortsVerb, refusesWhatItDoesNotUnderstand) {
  ApiDouble api;
  for (const std::vector<std::string>& words : {std::vector<std::string>{"ports", "web1", "3000"},
                                                {"ports", "web1", "--to", "shared"},
                                                {"ports", "web1", "3000", "--to", "everyone"},
                                                {"ports", "web1", "3000", "--to", "public"},
                                                {"ports", "web1", "0", "--to", "shared"},
                                                {"ports", "web1", "3000", "--to", "public", "--for", "soon"}})
    EXPECT_EQ(runCommand(api, words).code, 2) << words.back();
  EXPECT_TRUE(api.received().empty());
}

}  // namespace
}  // namespace swarm::cli::testing
