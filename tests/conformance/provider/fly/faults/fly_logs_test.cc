// What a Machine wrote, by Fly's web API: above all what it said before it ended.
#include <algorithm>
#include <sstream>

#include "conformance/provider/fly/faults/fly_places.h"

namespace swarm::testing {
namespace {

class FlyLogs : public FlyPlaces {
 protected:
  /// Fly's own lines are among those of the program.
  static std::string withoutEvents(const std::string& text) {
    std::istringstream lines(text);
    std::string program;
    for (std::string line; std::getline(lines, line);)
      if (!line.starts_with("Machine ")) program += line + "\n";
    return program;
  }
  std::string logOf(const PlaceId& id, LogSource::Options options = {}) {
    auto read = [&]() -> asio::awaitable<std::string> {
      auto reader = co_await provider_->logs()->openLogs(id, options, soon());
      std::string all;
      for (std::string piece = "?"; !piece.empty();) all += piece = co_await reader->next(soon());
      co_return all;
    };
    return runner_.run(read());
  }
  InstanceSpec failing(const std::string& script) {
    InstanceSpec wanted = spec();
    wanted.config.command = {"/bin/sh", "-c", script};
    return wanted;
  }
  void createAndFail(const InstanceSpec& wanted) {
    create(wanted);
    ASSERT_TRUE(runner_.waitFor([&] { return get(wanted.placeId)->status == InstanceStatus::failed; }));
  }
};

TEST_F(FlyLogs, showWhyAProgramEndedAtOnce) {
  InstanceSpec wanted = failing("echo one; echo swarm-agent must be root; exit 1");
  createAndFail(wanted);
  EXPECT_EQ(get(wanted.placeId)->reason, "exited with code 1");
  EXPECT_EQ(withoutEvents(logOf(wanted.placeId)), "ready\none\nswarm-agent must be root\n");
  std::string end = logOf(wanted.placeId, {.follow = false, .tail = 3, .since = {}});
  EXPECT_EQ(std::ranges::count(end, '\n'), 3);
  EXPECT_TRUE(end.contains("swarm-agent must be root\n")) << end;
  EXPECT_EQ(logOf(wanted.placeId, {.follow = false, .tail = {}, .since = RealClock().now() + std::chrono::hours(1)}), "");
}

TEST_F(FlyLogs, areTheNewestLines) {
  std::string script, all = "ready\n";
  for (int i = 0; i < 250; ++i) {
    script += format("echo line {}; ", i);
    all += format("line {}\n", i);
  }
  InstanceSpec wanted = failing(script + "exit 1");
  createAndFail(wanted);
  // Fly returns the newest lines only; later lines are read as they arrive.
  std::string log = logOf(wanted.placeId);
  EXPECT_EQ(std::ranges::count(log, '\n'), 100);
  EXPECT_TRUE(all.ends_with(withoutEvents(log))) << log;
  EXPECT_TRUE(log.contains("line 160\n")) << log;
}

TEST_F(FlyLogs, areFollowed) {
  InstanceSpec wanted = spec();
  create(wanted);
  auto read = [&]() -> asio::awaitable<std::string> {
    auto reader = co_await provider_->logs()->openLogs(wanted.placeId, {.follow = true, .tail = {}, .since = {}}, soon());
    std::string all = co_await reader->next(soon());
    wanted.config.command = {"/bin/sh", "-c", "echo later; exit 1"};
    co_await provider_->replaceInstance(wanted, progress_, soon());
    while (!all.contains("later")) all += co_await reader->next(soon());
    co_return all;
  };
  EXPECT_EQ(withoutEvents(runner_.run(read())), "ready\nlater\n");
}

TEST_F(FlyLogs, ofAnApiThatHasNoneAreAnErrorThatSaysSo) {
  InstanceSpec wanted = spec();
  create(wanted);
  world_.fault(R"({"match":{"action":"web_logs"},"count":-1,"effect":{"status":403,"body":{"error":"no"}}})");
  EXPECT_TRUE(errorOf([&] { logOf(wanted.placeId); }));
}

TEST(FlyWebUrl, isFlysOwnBesideTheMachinesApi) {
  EXPECT_EQ(flyio::webUrl("https://api.machines.dev"), "https://api.fly.io");
  EXPECT_EQ(flyio::webUrl("http://_api.internal:4280"), "https://api.fly.io");
  EXPECT_EQ(flyio::webUrl("http://127.0.0.1:4280"), "http://127.0.0.1:4280");
}

}  // namespace
}  // namespace swarm::testing
