// Nothing is left at the Engine, labelled or not, whatever cut off what: after a storm, and after storms whose server was killed.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <random>
#include <thread>

#include "base/id.h"
#include "base/text/format.h"
#include "chaos/image/chaos_image.h"
#include "chaos/kill/fly_process.h"
#include "chaos/kill/server_process.h"
#include "conformance/provider/docker/test_engine.h"
#include "support/temp_dir.h"

namespace swarm::test {
namespace {

namespace json = boost::json;

int fromEnvironment(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value ? std::atoi(value) : otherwise;
}

class Races : public ::testing::Test {
 protected:
  Races() {
    ::signal(SIGPIPE, SIG_IGN);
    settings_.dataDir = folder_ / "data";
    settings_.log = folder_ / "log";
    settings_.swarmId = newId("races");
    settings_.image = testing::ensureChaosImage(engine_);
  }
  ~Races() override {
    server_.reset();
    engine_.removeAll(settings_.swarmId);
    if (fly_) fly_->removeAllApps();
  }

  void addFly() {
    fly_ = std::make_unique<FlyProcess>(std::vector<std::string>{"--data", folder_ / "fly", "--regions", "ams"});
    settings_.flyApi = fly_->apiUrl();
    settings_.flyApp = fly_->appUrl();
  }

  void boot() {
    server_ = std::make_unique<ServerProcess>(settings_, std::vector<std::string>{"CHAOS_AGENT=yes"});
    if (!server_->awaitReady()) throw std::runtime_error("the server did not start: " + lastLog());
  }
  json::value request(const std::string& line) {
    auto response = server_->request(line);
    if (!response) throw std::runtime_error("the server died at \"" + line + "\": " + lastLog());
    return *response;
  }
  std::string lastLog() const {
    std::ifstream file(settings_.log);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    return "\n" + text.substr(text.size() > 6000 ? text.size() - 6000 : 0);
  }

  void bootAndKillInAStorm(const std::string& line, std::mt19937& random) {
    boot();
    server_->send(line);
    std::this_thread::sleep_for(std::chrono::milliseconds(500 + random() % 4000));  // the moment of the kill
    ::kill(server_->pid(), SIGKILL);
    server_->end();
  }

  void expectAStorm(const std::string& line) {
    json::value result = request(line);
    std::printf("%s\n", json::serialize(result).c_str());
    const json::value* wrong = engine::member(result, "wrong");
    ASSERT_TRUE(wrong && wrong->is_array()) << json::serialize(result) << lastLog();
    ASSERT_TRUE(wrong->as_array().empty()) << lastLog();
  }

  void purgeAll() {
    // A list has a hundred at most.
    for (json::value left = request("list"); !left.as_array().empty(); left = request("list")) {
      for (const json::value& instance : left.as_array()) {
        json::value purged = request("purge " + engine::stringAt(instance, "id"));
        ASSERT_EQ(engine::stringAt(purged, "status"), "succeeded") << json::serialize(purged) << lastLog();
      }
    }
  }

  /// What the emulated Fly has, by its API and by its Engine.
  std::vector<std::string> leftoversAtFly() {
    std::vector<std::string> found;
    json::value state = fly_->get("/emulator/state");
    for (const char* what : {"/apps", "/machines", "/volumes", "/backend/machines", "/backend/volumes"}) {
      auto count = state.at_pointer(what).to_number<std::size_t>();
      if (count > 0) found.push_back(format("{} of Fly's {}", count, what));
    }
    return found;
  }

  /// What carries the swarm's label, and volumes without one that are named for one of its instances.
  std::vector<std::string> leftovers(const std::set<std::string>& instances) {
    std::vector<std::string> found = engine_.leftovers(settings_.swarmId);
    json::value all = engine_.get("/volumes?" + engine::filterQuery({{"name", json::array{"swarm-i-"}}}));
    const json::value* list = engine::member(all, "Volumes");
    if (!list || !list->is_array()) return found;
    for (const json::value& volume : list->as_array()) {
      std::string name = engine::stringAt(volume, "Name");
      std::string id = name.substr(std::string("swarm-").size(), name.find('-', 8) - std::string("swarm-").size());
      if (instances.contains(id) && !engine::member(volume, "Labels")) found.push_back("unlabelled volume " + name);
    }
    if (fly_) std::ranges::move(leftoversAtFly(), std::back_inserter(found));
    return found;
  }

  std::set<std::string> instancesOf(const json::value& operations) {
    std::set<std::string> ids;
    for (const json::value& operation : operations.as_array()) ids.insert(engine::stringAt(operation, "instanceId"));
    return ids;
  }

  /// Snapshots of what was deleted go in the background.
  void expectNothingIsLeft(const json::value& operations) {
    std::set<std::string> ids = instancesOf(operations);
    Deadline deadline = Deadline::after(std::chrono::seconds(60));
    std::vector<std::string> left = leftovers(ids);
    while (!left.empty() && !deadline.hasPassed()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      left = leftovers(ids);
    }
    EXPECT_EQ(left, std::vector<std::string>{}) << lastLog();
  }

  TempDir folder_;
  testing::CoroutineRunner runner_;
  testing::TestEngine engine_{runner_, testing::testEngineConfig()};
  ServerSettings settings_;
  std::unique_ptr<FlyProcess> fly_;
  std::unique_ptr<ServerProcess> server_;
};

TEST_F(Races, whatCutsEachOtherOffLeavesNothing) {
  boot();
  int rounds = fromEnvironment("RACES_ROUNDS", 4);
  for (int round = 0; round < rounds; ++round)
    ASSERT_NO_FATAL_FAILURE(expectAStorm(format("storm 14 1 {}", fromEnvironment("RACES_SEED", 1) + round)));
  EXPECT_TRUE(request("list").as_array().empty());
  expectNothingIsLeft(request("settle"));
}

TEST_F(Races, aServerKilledInTheMiddleLeavesNothingAndForgetsNoWish) {
  std::mt19937 random(static_cast<unsigned>(fromEnvironment("RACES_SEED", 1)));
  int lives = fromEnvironment("RACES_LIVES", 4);
  // Every fourth server lives on and clears up: a slow machine would otherwise run hundreds of containers in the end.
  for (int life = 0; life < lives;) {
    for (int end = std::min(life + 4, lives); life < end; ++life) bootAndKillInAStorm(format("storm 14 1000 {} purge", life + 1), random);
    boot();
    json::value operations = request("settle");
    ASSERT_NO_FATAL_FAILURE(purgeAll());
    EXPECT_TRUE(request("list").as_array().empty());
    ASSERT_NO_FATAL_FAILURE(expectNothingIsLeft(operations));
    server_.reset();
  }
}

TEST_F(Races, movesThatAreCutOffOrKilledLeaveNothingAtEitherProvider) {
  const int seed = fromEnvironment("RACES_SEED", 1);
  std::mt19937 random(static_cast<unsigned>(seed));
  addFly();
  for (int life = 0; life < fromEnvironment("RACES_MOVE_LIVES", 1); ++life)
    bootAndKillInAStorm(format("storm 4 1000 {} purge moves", 1'000'000 + seed + life), random);
  boot();
  for (int round = 0; round < fromEnvironment("RACES_MOVE_ROUNDS", 1); ++round)
    ASSERT_NO_FATAL_FAILURE(expectAStorm(format("storm 4 2 {} purge moves", seed + round)));
  json::value operations = request("settle");
  ASSERT_NO_FATAL_FAILURE(purgeAll());
  EXPECT_TRUE(request("list").as_array().empty());
  expectNothingIsLeft(operations);
}

}  // namespace
}  // namespace swarm::test
