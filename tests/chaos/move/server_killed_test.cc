// kill -9 of the server at every fault point of a move, in both directions. After the restart the operation ends, the files are in the one
// place that runs, and nothing is left over.
#include <sys/wait.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <set>

#include "chaos/move/move_test.h"

namespace swarm::test {
namespace {

namespace json = boost::json;

/// One of two moves that lead to and fro.
struct Way {
  std::string line;
  std::string from;
  std::string to;
  Held after;  ///< what there is when it has succeeded
};

class ServerKilledInAMove : public MoveTest {
 protected:
  /// Points of whose names one of `elsewhere` is a part are another test's business.
  void killEverywhere(const Way& there, const Way& back, std::size_t least, std::vector<std::string> elsewhere) {
    // Right behind another point, with nothing durable in between: what is found after a kill is the same.
    elsewhere.insert(elsewhere.end(), {".before:", ".record.", "place.remove:"});
    boot();
    makeWorkspace();
    std::map<std::string, std::vector<std::string>> left;
    for (const Way* way : {&there, &back}) {
      left[way->line] = pointsOf(way->line);
      ASSERT_GE(left[way->line].size(), least) << "fault points are missing";
      std::erase_if(left[way->line], [&](const std::string& point) {
        return std::ranges::any_of(elsewhere, [&](const std::string& part) { return point.contains(part); });
      });
      std::ranges::reverse(left[way->line]);
    }
    Held before = there.after, start = back.after;
    std::size_t killed = 0;
    while (!left[there.line].empty() || !left[back.line].empty()) {
      bool forth = providerNow() == there.from;
      const Way& way = forth ? there : back;
      auto& points = left[way.line];
      if (points.empty()) {
        must(way.line);
        continue;
      }
      std::string point = points.back();
      points.pop_back();
      SCOPED_TRACE(way.line + " killed at " + point);
      killAt(way, point, forth ? start : before);
      if (HasFatalFailure()) return;
      ++killed;
    }
    std::printf("killed at %zu points\n", killed);
  }

  void killAt(const Way& way, const std::string& point, const Held& before) {
    std::size_t operations = request("settle").as_array().size();
    ASSERT_EQ(server_->end(), 0);
    std::filesystem::remove(settings_.log);
    boot({"SWARM_FAULT=" + point + "=kill"});
    auto response = server_->request(way.line);
    int status = server_->end();
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "it was not killed; it said " << json::serialize(response.value_or(nullptr));
    boot();
    json::value after = request("settle");
    bool accepted = after.as_array().size() > operations;  // it had become durable
    bool moved = accepted;
    for (const json::value& operation : after.as_array()) {
      bool failed = operation.at("status").as_string() == "failed";
      ASSERT_TRUE(operation.at("status").as_string() == "succeeded" || (failed && may_fail_)) << json::serialize(operation);
      ASSERT_FALSE(failed && json::serialize(operation).contains("unexpected")) << json::serialize(operation);
      if (failed && !known_failures_.contains(operation.at("id").as_string())) {
        known_failures_.emplace(operation.at("id").as_string());
        moved = false;
      }
    }
    expectIntact(moved ? way.to : way.from, moved ? way.after : before);
  }

  bool may_fail_ = false;
  std::set<std::string, std::less<>> known_failures_;
};

TEST_F(ServerKilledInAMove, whereItKeepsOrUsesAKeptSourceLosesAndLeavesNothing) {
  const std::string common = "controller.migrate.";
  killEverywhere({"migrate one flyio region=ams keep", "docker", "flyio", heldFor(1, 1)},
                 {"migrate one back", "flyio", "docker", heldFor(1, 0)}, 20,
                 {"flyio.create.", "docker.create.", common + "copy", common + "record", common + "intent", common + "accepted",
                  common + "begin", common + "validated", common + "copied", common + "read_back", common + "changes_copied",
                  common + "pause", common + "held", common + "final", common + "verified"});
}

/// A failed move is rolled back, and the server is killed during the rollback: the next server continues the rollback, or moves the
/// instance after all.
TEST_F(ServerKilledInAMove, whileItIsTakenBackLosesAndLeavesNothing) {
  boot();
  makeWorkspace();
  may_fail_ = true;
  const Way there{"migrate one flyio region=ams", "docker", "flyio", heldFor(0, 1)};
  const Way back{"migrate one docker", "flyio", "docker", heldFor(1, 0)};
  for (const char* point : {"controller.migrate.undo", "controller.migrate.source_back", "controller.migrate.discarded",
                            "controller.place.remove", "controller.place.removed"}) {
    for (const Way& way : {there, back}) {
      SCOPED_TRACE(way.line + " killed at " + point);
      killAt(way, std::string("controller.migrate.verified=error,") + point, way.from == "docker" ? back.after : there.after);
      if (HasFatalFailure()) return;
      if (providerNow() == way.from) must(way.line);
    }
  }
}

TEST_F(ServerKilledInAMove, inTheMiddleOfACopyLosesAndLeavesNothing) {
  boot();
  makeWorkspace("tree fill /home/coder/work 500 20000");
  for (const Way& way : {Way{"migrate one flyio region=ams limit=4000000", "docker", "flyio", heldFor(0, 1)},
                         Way{"migrate one docker limit=4000000", "flyio", "docker", heldFor(1, 0)}}) {
    killAt(way, "controller.migrate.copying:4", way.from == "docker" ? heldFor(1, 0) : heldFor(0, 1));
    if (HasFatalFailure()) return;
  }
}

TEST_F(ServerKilledInAMove, anywhereOnTheWayToFlyAndBackLosesAndLeavesNothing) {
  killEverywhere({"migrate one flyio region=ams", "docker", "flyio", heldFor(0, 1)},
                 {"migrate one docker", "flyio", "docker", heldFor(1, 0)}, 30,
                 {"controller.migrate.copying"});  // how often it passes there depends on the time
}

}  // namespace
}  // namespace swarm::test
