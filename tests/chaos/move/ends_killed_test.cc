// In the middle of a move: the source's or the target's container is killed, the emulated Fly goes away and comes back, its API answers
// nonsense. The move fails or goes on; the workspace is whole where it runs, and nothing is left over.
#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/text/format.h"
#include "chaos/move/move_test.h"

namespace swarm::test {
namespace {

namespace json = boost::json;

const std::string kMigrate = "controller.migrate.";
constexpr const char* kToFly = "migrate one flyio region=ams limit=4000000";  // slow enough to be met in the middle of its copy
constexpr const char* kToDocker = "migrate one docker limit=4000000";

class TroubleInAMove : public MoveTest {
 protected:
  void SetUp() override {
    boot();
    makeWorkspace();
  }
  std::string lineNow() { return providerNow() == "docker" ? kToFly : kToDocker; }

  void killAllAt(const std::string& provider) {
    for (const std::string& id : containersAt(provider)) engine_.send("POST", "/containers/" + id + "/kill?signal=KILL");
  }

  enum class Must { Move, MoveOrStay };
  /// Moves, does `deed` when the operation is at `point`, and checks the result.
  void moveWith(const std::string& point, const std::function<void()>& deed, Must must_it = Must::MoveOrStay) {
    std::string from = providerNow(), to = from == "docker" ? "flyio" : "docker", line = lineNow();
    ASSERT_EQ(server_->end(), 0);
    std::filesystem::remove(settings_.log);
    boot({"SWARM_FAULT=" + point + "=stop"});
    ASSERT_TRUE(server_->send(line));
    ASSERT_TRUE(server_->waitUntilStopped()) << "the point was not passed";
    deed();
    server_->letGoOn();
    auto response = server_->awaitResponse();
    ASSERT_TRUE(response && response->is_object()) << log();
    const json::value* status = response->as_object().if_contains("status");
    ASSERT_TRUE(status) << json::serialize(*response);
    bool moved = status->as_string() == "succeeded";
    ASSERT_TRUE(moved || must_it == Must::MoveOrStay) << json::serialize(*response);
    std::string now = providerNow();
    if (moved) {
      ASSERT_EQ(now, to);
    }
    std::printf("  %s, %s: %s\n", line.c_str(), point.c_str(), moved ? "moved" : now == to ? "failed after the switch" : "stayed");
    bool ended = eventually([&] {
      auto state = std::string(instance().at("status").as_string());
      return state == "failed" || state == "stopped" || (state == "running" && user_processes_->placesNow() == 1);
    });
    ASSERT_TRUE(ended) << json::serialize(instance());
    if (instance().at("status").as_string() != "running") must("start one");  // what was killed behind the switch needs a person
    bool keeps_former = now == to && !moved;
    expectIntact(now, keeps_former ? heldFor(1, 1) : now == "docker" ? heldFor(1, 0) : heldFor(0, 1));
  }

  /// Every step of a move, in its order. In `creating` the target's container runs, and nothing else is known of it yet.
  static std::vector<std::string> pointsTo(const std::string& to) {
    const std::string creating = to == "docker" ? "docker.create.start.after" : "flyio.create.machine.after";
    std::vector<std::string> points;
    for (const char* step : {"validated", "placed"}) points.push_back(kMigrate + step);
    points.push_back(creating);
    for (const char* step : {"made", "copying", "copied", "read_back", "changes_copied", "pause", "held", "final"})
      points.push_back(kMigrate + step);
    for (const std::string& point : pointsBehindTheVerdict()) points.push_back(point);
    return points;
  }
  /// From here on the target has all the files, and nothing that becomes of it leads back.
  static std::vector<std::string> pointsBehindTheVerdict() {
    std::vector<std::string> points;
    for (const char* step : {"verified", "switch", "switched", "started"}) points.push_back(kMigrate + step);
    points.insert(points.end(), {"controller.place.remove", "controller.place.removed", kMigrate + "retired"});
    return points;
  }
};

TEST_F(TroubleInAMove, aTargetThatIsKilledLosesAndLeavesNothing) {
  const std::vector<std::string> behind = pointsBehindTheVerdict();
  for (const char* to : {"flyio", "docker"}) {
    for (const std::string& point : pointsTo(to)) {
      if (point.ends_with(".validated") || point.ends_with(".placed")) continue;  // there is none yet
      bool is_behind = std::ranges::find(behind, point) != behind.end();
      SCOPED_TRACE(point + ", to " + to);
      if (providerNow() == to) must(lineNow());
      moveWith(point, [&] { killAllAt(to); }, is_behind ? Must::Move : Must::MoveOrStay);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(TroubleInAMove, aSourceThatIsKilledLosesAndLeavesNothing) {
  for (const char* from : {"docker", "flyio"}) {
    for (const std::string& point : pointsTo(from == std::string("docker") ? "flyio" : "docker")) {
      SCOPED_TRACE(point + ", from " + from);
      if (providerNow() != from) must(lineNow());
      moveWith(point, [&] { killAllAt(from); });
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(TroubleInAMove, aFlyThatDiesAndComesBackLosesAndLeavesNothing) {
  for (const std::string& step : {"placed", "made", "copying", "held", "verified", "switched", "started"}) {
    for (int way = 0; way < 2; ++way) {
      std::string from = providerNow();
      SCOPED_TRACE(step + ", from " + from);
      moveWith(kMigrate + step, [&] {
        fly_->kill();
        fly_->start();
      });
      if (HasFatalFailure()) return;
      if (providerNow() == from) must(lineNow());
    }
  }
}

TEST_F(TroubleInAMove, anApiThatAnswersNonsenseLosesAndLeavesNothing) {
  const std::vector<std::string> effects{
      R"({"status":429,"body":{"error":"too many requests"},"headers":{"Retry-After":"1"}})",
      R"({"status":500,"body":{"error":"internal server error"}})",
      R"({"status":502,"body":"<html><body>Bad gateway</body></html>","content_type":"text/html"})",
      R"({"cut":"before"})",
      R"({"cut":"after"})",
      R"({"status":408,"body":{"error":"deadline_exceeded"},"commit":true})",
  };
  int skip = 0;
  for (const std::string& effect : effects) {
    for (int way = 0; way < 2; ++way) {
      std::string from = providerNow();
      SCOPED_TRACE(effect + ", from " + from);
      std::string fault = format(R"({{"match":{{}},"skip":{},"count":3,"effect":{}}})", skip++ % 5, effect);
      moveWith(kMigrate + "begin", [&] { fly_->send("POST", "/emulator/faults", fault); });
      fly_->send("DELETE", "/emulator/faults");
      if (HasFatalFailure()) return;
      if (providerNow() == from) must(lineNow());
    }
  }
}

}  // namespace
}  // namespace swarm::test
