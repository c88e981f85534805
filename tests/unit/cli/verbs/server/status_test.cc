// `swarm status` as a person reads it.
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

std::string statusOf(int instances, const std::string& memory) {
  return R"({"totalInstances":)" + std::to_string(instances) + R"(,"runningInstances":)" + std::to_string(instances) +
         R"(,"stoppedInstances":0,"failedInstances":0,"resourceUsage":{"cpu":{"used":2,"total":4},"memory":)" + memory +
         R"(,"storage":{"used":10,"total":0}},"providers":[{"type":"docker","status":"healthy","instances":1,"detail":"here"}]})";
}

TEST(StatusVerb, countsAndMeasuresAsPeopleDo) {
  ApiDouble api;
  api.on("GET /api/swarm/status", 200, {statusOf(1, R"({"used":4096,"total":24576})"), statusOf(2, R"({"used":256,"total":512})")});
  const Ran one = runCommand(api, {"status"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_NE(one.out.find("1 workspace: 1 running, 0 stopped, 0 failed\ncpu 2.0 of 4 cores, memory 4.0 of 24 GiB, storage 10.0 GiB\n"),
            std::string::npos)
      << one.out;
  EXPECT_NE(one.out.find("docker    healthy"), std::string::npos) << one.out;
  const Ran two = runCommand(api, {"status"});
  EXPECT_NE(two.out.find("2 workspaces: 2 running, 0 stopped, 0 failed\ncpu 2.0 of 4 cores, memory 256.0 of 512 MiB"), std::string::npos)
      << two.out;
}

}  // namespace
}  // namespace swarm::cli::testing
