// Whole moves of trees that are large in both ways, by agents and a server with little memory.
#include <boost/json/serialize.hpp>
#include <fstream>

#include "base/text/format.h"
#include "chaos/move/move_test.h"

namespace swarm::test {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMostMemory = 64 * 1024;  ///< KiB, of each party

/// Of a process, at most so far, in KiB; 0: there is none.
std::int64_t mostMemoryOf(const std::string& pid) {
  std::ifstream status("/proc/" + pid + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6));
  return 0;
}

class LargeTree : public MoveTest {
 protected:
  void expectLittleMemoryAt(const std::string& provider) {
    std::size_t agents = 0;
    for (const std::string& id : containersAt(provider)) {
      json::value all = engine_.get("/containers/" + id + "/top?ps_args=-eo%20pid,comm");
      for (const json::value& row : all.at("Processes").as_array()) {
        if (row.as_array().back().as_string() != "swarm-agent") continue;
        ++agents;
        std::int64_t most = mostMemoryOf(std::string(row.as_array().front().as_string()));
        std::printf("the agent at %s had %lld MiB at most\n", provider.c_str(), static_cast<long long>(most / 1024));
        EXPECT_GT(most, 0);
        EXPECT_LE(most, kMostMemory) << "at " << provider;
      }
    }
    EXPECT_EQ(agents, 1U) << "at " << provider;
  }
};

// The container of the source has room for what the kernel keeps of 100,000 files: with less, the fill itself meets the limit.
TEST_F(LargeTree, aHundredThousandFilesAndOneOfTwoGigabytesArrive) {
  boot({"SWARM_FAULT=controller.migrate.verified=stop"});
  judge_ = "tree sum /home/coder";
  memory_ = "512";
  makeWorkspace("tree fill /home/coder/work 100000 300");
  run("tree big /home/coder/work/two 2048");
  expected_ = listing();
  ASSERT_TRUE(expected_.starts_with("1010")) << expected_;
  ASSERT_TRUE(server_->send("migrate one flyio region=ams"));
  ASSERT_TRUE(server_->waitUntilStopped());
  expectLittleMemoryAt("docker");
  expectLittleMemoryAt("flyio");
  EXPECT_LE(mostMemoryOf(std::to_string(server_->pid())), kMostMemory) << "of the server";
  server_->letGoOn();
  auto answer = server_->awaitAnswer();
  ASSERT_TRUE(answer) << log();
  ASSERT_EQ(answer->at("status").as_string(), "succeeded") << json::serialize(*answer);
  expectIntact("flyio", heldFor(0, 1));
}

}  // namespace
}  // namespace swarm::test
