// --cpus, --memory and so on: what they send, and what `show` prints of it.
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

constexpr std::string_view kWorkspace =
    R"({"id":"i-1","status":"stopped","config":{"name":"web1"},"resources":{"cpu":{"cores":2},"memory":{"max":8192},"shmSize":512}})";

class ResourceFlagsTest : public ::testing::Test {
 protected:
  ResourceFlagsTest() {
    for (const char* line : {"GET /api/instances/web1", "GET /api/instances/i-1", "PUT /api/instances/web1"})
      api_.on(line, 200, {std::string(kWorkspace)});
  }
  std::string updateWith(std::vector<std::string> flags) {
    std::vector<std::string> words{"update", "web1", "--yes", "--no-wait"};
    words.insert(words.end(), flags.begin(), flags.end());
    const Ran ran = runCommand(api_, words);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return boost::json::serialize(api_.bodyOf("PUT /api/instances/web1"));
  }
  ApiDouble api_;
};

TEST_F(ResourceFlagsTest, sendOnlyWhatWasGiven) { EXPECT_EQ(updateWith({"--shm-size", "1.5g"}), R"({"resources":{"shmSize":1536}})"); }

TEST_F(ResourceFlagsTest, sendZeroAsWhatItMeans) {
  EXPECT_EQ(updateWith({"--shm-size", "0", "--memory-min", "0"}), R"({"resources":{"memory":{"min":0},"shmSize":0}})");
}

TEST_F(ResourceFlagsTest, sendAllOfThem) {
  EXPECT_EQ(
      updateWith({"--cpus", "1.5", "--memory", "8g", "--memory-min", "512m", "--disk", "20", "--pids", "100", "--shm-size", "64"}),
      R"({"resources":{"cpu":{"cores":1.5E0,"limit":0},"memory":{"min":512,"max":8192},"storage":{"size":20},"pids":100,"shmSize":64}})");
}

TEST_F(ResourceFlagsTest, securityIsSwitchedOn) {
  EXPECT_EQ(updateWith({"--no-new-privileges", "on"}), R"({"security":{"noNewPrivileges":true}})");
}

TEST_F(ResourceFlagsTest, securityIsSwitchedOnAndOff) {
  EXPECT_EQ(updateWith({"--no-new-privileges", "off", "--read-only-root", "on"}),
            R"({"security":{"noNewPrivileges":false,"readOnlyRoot":true}})");
  EXPECT_EQ(runCommand(api_, {"update", "web1", "--read-only-root", "yes"}).code, 2);
}

TEST_F(ResourceFlagsTest, egressOfANewWorkspaceIsNotSentUnlessGiven) {
  api_.on("POST /api/instances", 202, {std::string(kWorkspace)});
  runCommand(api_, {"create", "web1", "--no-wait"});
  EXPECT_FALSE(api_.bodyOf("POST /api/instances").at("network").as_object().contains("egress"));
}

TEST_F(ResourceFlagsTest, securityOfANewWorkspaceIsSentWhenGiven) {
  api_.on("POST /api/instances", 202, {std::string(kWorkspace)});
  runCommand(api_, {"create", "web1", "--no-wait", "--read-only-root", "on"});
  EXPECT_EQ(boost::json::serialize(api_.bodyOf("POST /api/instances").at("security")), R"({"noNewPrivileges":false,"readOnlyRoot":true})");
}

TEST_F(ResourceFlagsTest, aPolicyOfEgressIsSentAlone) {
  EXPECT_EQ(updateWith({"--egress", "default"}), R"({"network":{"egress":{"policy":"default"}}})");
  EXPECT_EQ(runCommand(api_, {"update", "web1", "--egress", "closed"}).code, 2);
}

TEST_F(ResourceFlagsTest, whatEgressAllowsIsSentAlone) {
  EXPECT_EQ(updateWith({"--egress-allow", "10.0.0.1:443", "--egress-allow", "[fd00::/8]:80"}),
            R"({"network":{"egress":{"allow":["10.0.0.1:443","[fd00::/8]:80"]}}})");
}

TEST_F(ResourceFlagsTest, anEmptyTextRemovesWhatEgressAllows) {
  EXPECT_EQ(updateWith({"--egress-allow", ""}), R"({"network":{"egress":{"allow":[]}}})");
}

TEST_F(ResourceFlagsTest, egressOfANewWorkspaceIsSentWhenGiven) {
  api_.on("POST /api/instances", 202, {std::string(kWorkspace)});
  runCommand(api_, {"create", "web1", "--no-wait", "--egress", "none", "--egress-allow", "10.0.0.1"});
  EXPECT_EQ(boost::json::serialize(api_.bodyOf("POST /api/instances").at("network").at("egress")),
            R"({"policy":"none","allow":["10.0.0.1"]})");
}

TEST_F(ResourceFlagsTest, areNamedInTheServersErrors) {
  api_.on(
      "POST /api/instances", 400,
      {R"({"code":"invalid_argument","message":"/resources/shmSize must not be above memory.max, which is 4096 MiB.","retryable":false,)"
       R"("errors":[{"pointer":"/resources/shmSize","detail":"must not be above memory.max, which is 4096 MiB"}]})"});
  const Ran ran = runCommand(api_, {"create", "web1", "--shm-size", "5g"});
  EXPECT_NE(ran.err.find("--shm-size: must not be above memory.max, which is 4096 MiB"), std::string::npos) << ran.err;
}

TEST_F(ResourceFlagsTest, areShown) {
  const std::string shown = runCommand(api_, {"show", "web1"}).out;
  EXPECT_NE(shown.find("cpus         2\nmemory       8 GiB\n/dev/shm     512 MiB\n"), std::string::npos) << shown;
}

}  // namespace
}  // namespace swarm::cli::testing
