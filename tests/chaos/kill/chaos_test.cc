// For every fault point that a verb passes: a server is killed there, a new one finishes or takes back, and the provider holds exactly what
// the instances need.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>

#include "base/id.h"
#include "base/text/format.h"
#include "chaos/kill/killed_world.h"
#include "chaos/kill/server_process.h"
#include "support/temp_dir.h"

namespace swarm::test {
namespace {

namespace json = boost::json;

/// What one verb starts from, and the states that its instance may have after a kill and a restart.
struct Verb {
  std::string name;
  std::vector<std::string> before;  ///< requests that prepare the instance
  std::string statusBefore;         ///< when the kill came before the intent was durable; empty: no instance
  std::string statusAfter;          ///< empty: the instance is gone
  std::size_t volumesWhenGone = 0;  ///< volumes that stay without the instance
};

class ChaosTest : public ::testing::Test {
 protected:
  explicit ChaosTest(std::unique_ptr<KilledWorld> world) : world_(std::move(world)) {
    ::signal(SIGPIPE, SIG_IGN);
    settings_.dataDir = folder_ / "data";
    settings_.log = folder_ / "log";
    settings_.swarmId = newId("chaos");
    world_->prepare(settings_);
  }
  ~ChaosTest() override {
    server_.reset();
    world_->removeAll(settings_.swarmId);
  }

  void boot(std::vector<std::string> environment = {}) {
    server_.reset();
    server_ = std::make_unique<ServerProcess>(settings_, std::move(environment));
    if (!server_->awaitReady()) throw std::runtime_error("the server did not start: " + lastLog());
  }
  json::value request(const std::string& line) {
    auto response = server_->request(line);
    if (!response) throw std::runtime_error("the server died at \"" + line + "\": " + lastLog());
    return *response;
  }
  /// An operation that must succeed.
  void must(const std::string& line) {
    json::value response = request(line);
    const json::value* status = response.is_object() ? response.as_object().if_contains("status") : nullptr;
    if (response.is_object() && (!status || status->as_string() != "succeeded"))
      throw std::runtime_error(line + " gave " + json::serialize(response) + lastLog());
  }
  std::string lastLog() const {
    std::ifstream file(settings_.log);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    return "\n" + text.substr(text.size() > 4000 ? text.size() - 4000 : 0);
  }

  /// Every point that the verb passes, as "name:n" for its n-th pass.
  std::vector<std::string> pointsOf(const Verb& verb) {
    boot();
    for (const std::string& line : verb.before) must(line);
    server_->end();
    std::filesystem::path list = folder_ / "points";
    boot({"SWARM_FAULT_LIST=" + list.string()});
    std::size_t at_start = linesOf(list).size();
    must(verb.name + " one");
    std::vector<std::string> lines = linesOf(list);
    clear();
    std::map<std::string, int> passes;
    std::vector<std::string> points;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      int pass = ++passes[lines[i]];
      if (i >= at_start) points.push_back(format("{}:{}", lines[i], pass));
    }
    return points;
  }

  void killAt(const Verb& verb, const std::string& point) {
    SCOPED_TRACE("killed at " + point);
    std::filesystem::remove(settings_.log);
    for (const std::string& line : verb.before) must(line);
    operations_before_ = request("settle").as_array().size();
    ASSERT_EQ(server_->end(), 0);
    boot({"SWARM_FAULT=" + point + "=kill"});
    auto response = server_->request(verb.name + " one");
    int status = server_->end();
    // The last points lie behind the response: then the end of the process is a normal one or the kill.
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "it was not killed; it said " << json::serialize(response.value_or(nullptr));
    boot();
    json::value operations = request("settle");
    check(verb, operations);
    clear();
  }

  void check(const Verb& verb, const json::value& operations) {
    json::value instances = request("list");
    ASSERT_TRUE(instances.is_array());
    bool accepted = operations.as_array().size() > operations_before_;  // the request had become durable
    std::string expected = accepted ? verb.statusAfter : verb.statusBefore;
    Holdings have = world_->holdings(settings_.swarmId);
    if (expected.empty()) {
      ASSERT_TRUE(instances.as_array().empty()) << json::serialize(instances) << lastLog();
      std::size_t kept = accepted ? verb.volumesWhenGone : 0u;
      ASSERT_EQ(have, world_->holdingsOf(0, kept)) << "orphans" << lastLog();
      return;
    }
    ASSERT_EQ(instances.as_array().size(), 1u) << "the instance is lost" << lastLog();
    const json::object& instance = instances.as_array().front().as_object();
    ASSERT_EQ(instance.at("status").as_string(), expected) << json::serialize(instance) << lastLog();
    ASSERT_EQ(have, world_->holdingsOf(1, 1)) << lastLog();
    if (verb.before.empty()) return;
    if (expected == "stopped") must("start one");
    ASSERT_EQ(request("read one"), json::value("precious")) << "the file is lost" << lastLog();
  }

  /// Deletes everything by our own means and checks that nothing is left. The server goes on, for the next case.
  void clear() {
    json::value instances = request("list");
    for (const json::value& instance : instances.as_array()) must("purge " + std::string(instance.at("id").as_string()));
    Holdings left = world_->holdings(settings_.swarmId);
    EXPECT_EQ(left, world_->holdingsOf(0, left.volumes)) << lastLog();
    world_->removeAll(settings_.swarmId);  // volumes that were to stay
  }

  /// `elsewhere`: points of this prefix are the business of another test.
  void killEverywhere(const Verb& verb, std::size_t least_points, const std::string& elsewhere = "-") {
    std::vector<std::string> points = pointsOf(verb);
    std::erase_if(points, [&](const std::string& point) { return point.starts_with(elsewhere); });
    ASSERT_GE(points.size(), least_points) << "fault points are missing";
    for (const std::string& point : points) {
      killAt(verb, point);
      if (HasFatalFailure()) return;
    }
    std::printf("%s: killed at %zu points\n", verb.name.c_str(), points.size());
  }

  static std::vector<std::string> linesOf(const std::filesystem::path& path) {
    std::vector<std::string> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  TempDir folder_;
  std::unique_ptr<KilledWorld> world_;
  ServerSettings settings_;
  std::unique_ptr<ServerProcess> server_;
  std::size_t operations_before_ = 0;
};

class Chaos : public ChaosTest {
 protected:
  Chaos() : ChaosTest(makeKilledDocker()) {}
};
class ChaosOnFly : public ChaosTest {
 protected:
  ChaosOnFly() : ChaosTest(makeKilledFly()) {}
};

TEST_F(Chaos, aServerKilledAnywhereInCreateLosesAndLeavesNothing) { killEverywhere({"create", {}, "", "running", 0}, 15); }

TEST_F(Chaos, aServerKilledAnywhereInStopLosesAndLeavesNothing) {
  killEverywhere({"stop", {"create one", "write one"}, "running", "stopped", 0}, 6);
}

TEST_F(Chaos, aServerKilledAnywhereInStartLosesAndLeavesNothing) {
  killEverywhere({"start", {"create one", "write one", "stop one"}, "stopped", "running", 0}, 8);
}

TEST_F(Chaos, aServerKilledAnywhereInDeleteLosesAndLeavesNothing) {
  killEverywhere({"delete", {"create one", "write one"}, "running", "", 1}, 8);
}

TEST_F(Chaos, aServerKilledAnywhereInAReplacementLosesAndLeavesNothing) {
  killEverywhere({"update", {"create one", "write one"}, "running", "running", 0}, 12, "docker.create.");
}

TEST_F(ChaosOnFly, aServerKilledAnywhereInCreateLosesAndLeavesNothing) { killEverywhere({"create", {}, "", "running", 0}, 15); }

TEST_F(ChaosOnFly, aServerKilledAnywhereInStopLosesAndLeavesNothing) {
  killEverywhere({"stop", {"create one", "write one"}, "running", "stopped", 0}, 6);
}

TEST_F(ChaosOnFly, aServerKilledAnywhereInStartLosesAndLeavesNothing) {
  killEverywhere({"start", {"create one", "write one", "stop one"}, "stopped", "running", 0}, 6);
}

TEST_F(ChaosOnFly, aServerKilledAnywhereInDeleteLosesAndLeavesNothing) {
  killEverywhere({"delete", {"create one", "write one"}, "running", "", 1}, 8);
}

TEST_F(ChaosOnFly, aServerKilledAnywhereInAPurgeLosesAndLeavesNothing) {
  killEverywhere({"purge", {"create one", "write one"}, "running", "", 0}, 8);
}

TEST_F(ChaosOnFly, aServerKilledAnywhereInAnUpdateLosesAndLeavesNothing) {
  killEverywhere({"update", {"create one", "write one"}, "running", "running", 0}, 6);
}

}  // namespace
}  // namespace swarm::test
