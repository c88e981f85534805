// Whole moves of trees that are large in both ways, by agents and a server with little memory.
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "base/text/format.h"
#include "chaos/move/move_test.h"
#include "integration/docker/own_engine.h"

namespace swarm::test {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMaxMemory = 64 * 1024;  ///< KiB, of each party

/// Of a process, at most so far, in KiB; 0: there is none.
std::int64_t mostMemoryOf(const std::string& pid) {
  std::ifstream status("/proc/" + pid + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6));
  return 0;
}

/// An Engine whose volumes are in memory, for the server, the emulator and the test; without root, the machine's. 100,000 files are removed
/// in minutes where a file system is mounted with `discard`, and as long Docker 20.10 answers no request about a volume, of other tests
/// either.
class EngineInMemory {
 protected:
  EngineInMemory() {
    if (!testing::OwnEngine::possible()) return;
    own_.emplace(testing::OwnEngine::Options{.tmpfsMib = 8192, .arguments = {}});
    if (!own_->waitForSocket()) throw std::runtime_error(own_->log());
    ::setenv("SWARM_TEST_DOCKER_SOCKET", own_->socket().c_str(), 1);
    ::setenv("DOCKER_HOST", ("unix://" + own_->socket().string()).c_str(), 1);
  }

 private:
  std::optional<testing::OwnEngine> own_;
};

class LargeTree : private EngineInMemory, public MoveTest {
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
        EXPECT_LE(most, kMaxMemory) << "at " << provider;
      }
    }
    EXPECT_EQ(agents, 1U) << "at " << provider;
  }
};

// The container of the source has room for the files, which are in memory with an Engine of its own, and for what the kernel keeps of them.
TEST_F(LargeTree, aHundredThousandFilesAndOneOfTwoGigabytesArrive) {
  boot({"SWARM_FAULT=controller.migrate.verified=stop"});
  judge_ = "tree sum /home/coder";
  memory_ = "4096";
  makeWorkspace("tree fill /home/coder/work 100000 300");
  run("tree big /home/coder/work/two 2048");
  expected_ = listing();
  ASSERT_TRUE(expected_.starts_with("1010")) << expected_;
  ASSERT_TRUE(server_->send("migrate one flyio region=ams"));
  ASSERT_TRUE(server_->waitUntilStopped());
  expectLittleMemoryAt("docker");
  expectLittleMemoryAt("flyio");
  EXPECT_LE(mostMemoryOf(std::to_string(server_->pid())), kMaxMemory) << "of the server";
  server_->letGoOn();
  auto response = server_->awaitResponse();
  ASSERT_TRUE(response) << log();
  ASSERT_EQ(response->at("status").as_string(), "succeeded") << json::serialize(*response);
  expectIntact("flyio", heldFor(0, 1));
}

}  // namespace
}  // namespace swarm::test
