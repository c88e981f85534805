// MoveTest.
#include "chaos/move/move_test.h"

#include <signal.h>

#include <boost/json/serialize.hpp>
#include <fstream>

#include "async/deadline.h"
#include "base/id.h"
#include "base/text/format.h"
#include "chaos/image/chaos_image.h"

namespace swarm::test {
namespace {

namespace json = boost::json;

constexpr std::chrono::minutes kRemoval{5};  ///< of what a move leaves

}  // namespace

void PrintTo(const Held& held, std::ostream* out) {
  *out << "at Docker " << held.containers << " containers, " << held.networks << " networks, " << held.volumes << " volumes; at Fly "
       << held.apps << " apps, " << held.machines << " Machines, " << held.flyVolumes << " volumes";
}

MoveTest::MoveTest() : engine_(runner_, testing::testEngineConfig()) {
  ::signal(SIGPIPE, SIG_IGN);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // what was done is seen also when time runs out
  settings_.dataDir = folder_ / "data";
  settings_.log = folder_ / "log";
  settings_.swarmId = newId("chaos");
  settings_.image = testing::ensureChaosImage(engine_);
  fly_ = std::make_unique<FlyProcess>(std::vector<std::string>{"--data", folder_ / "fly", "--regions", "ams,fra"});
  settings_.flyApi = fly_->apiUrl();
  settings_.flyApp = fly_->appUrl();
  user_processes_ = std::make_unique<UserProcesses>(settings_.swarmId);
}

MoveTest::~MoveTest() {
  server_.reset();
  try {
    engine_.removeAll(settings_.swarmId);
    fly_->removeAllApps();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "not everything could be removed: %s\n", error.what());
  }
}

void MoveTest::TearDown() {
  if (HasFailure()) std::fprintf(stderr, "%s\n", log().c_str());
  if (!server_) return;
  EXPECT_LE(user_processes_->mostPlaces(), 1) << "a user's processes ran in two places at the same time";
  if (HasFatalFailure()) return;
  must("purge one");
  EXPECT_TRUE(eventually([&] { return held() == Held{}; }, kRemoval)) << "left behind: " << ::testing::PrintToString(held());
  EXPECT_EQ(engine_.leftovers(settings_.swarmId), std::vector<std::string>{});
}

void MoveTest::boot(std::vector<std::string> environment) {
  server_.reset();
  server_ = std::make_unique<ServerProcess>(settings_, std::move(environment));
  if (!server_->awaitReady()) throw std::runtime_error("the server did not start: " + log());
}

json::value MoveTest::request(const std::string& line) {
  auto response = server_->request(line);
  if (!response) throw std::runtime_error("the server died at \"" + line + "\": " + log());
  return *response;
}

json::value MoveTest::must(const std::string& line) {
  json::value response = request(line);
  const json::value* status = response.is_object() ? response.as_object().if_contains("status") : nullptr;
  if (!status || status->as_string() != "succeeded") throw std::runtime_error(line + " gave " + json::serialize(response));
  return response;
}

std::string MoveTest::run(const std::string& command) {
  json::value response = request("exec one " + command);
  if (!response.is_string()) throw std::runtime_error(command + " gave " + json::serialize(response));
  return std::string(response.as_string());
}

std::string MoveTest::log() const {
  std::ifstream file(settings_.log);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  constexpr std::size_t kEnd = 6000;
  return "the end of the server's log:\n" + text.substr(text.size() > kEnd ? text.size() - kEnd : 0);
}

json::object MoveTest::instance() {
  json::value list = request("list");
  if (list.as_array().size() != 1) throw std::runtime_error("the instance is lost: " + json::serialize(list));
  return list.as_array().front().as_object();
}

void MoveTest::makeWorkspace(const std::string& fill) {
  must(memory_.empty() ? "create one" : "create one " + memory_);
  run(fill);
  expected_ = listing();
  ASSERT_GT(expected_.size(), 20U) << expected_;
}

std::vector<std::string> MoveTest::pointsOf(const std::string& line) {
  std::filesystem::path list = folder_ / "points";
  std::filesystem::remove(list);
  request("settle");
  server_->end();
  boot({"SWARM_FAULT_LIST=" + list.string()});
  auto read = [&] {
    std::vector<std::string> lines;
    std::ifstream file(list);
    for (std::string one; std::getline(file, one);) lines.push_back(one);
    return lines;
  };
  std::size_t at_start = read().size();
  must(line);
  server_->end();
  std::map<std::string, int> passes;
  std::vector<std::string> points, lines = read();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    int pass = ++passes[lines[i]];
    if (i >= at_start) points.push_back(format("{}:{}", lines[i], pass));
  }
  boot();
  return points;
}

std::vector<std::string> MoveTest::containersAt(const std::string& provider) {
  json::object filter{{"ancestor", json::array{json::string(settings_.image)}}};
  std::vector<std::string> found;
  for (const json::value& one : engine_.get("/containers/json?" + engine::filterQuery(filter)).as_array()) {
    const json::object& labels = one.at("Labels").as_object();
    const json::value* swarm = labels.if_contains("swarm.id");
    const json::value* emulator = labels.if_contains("fly-emulator.id");
    bool is_ours =
        provider == "docker" ? swarm && swarm->as_string() == settings_.swarmId : emulator && emulator->as_string() == fly_->id();
    if (is_ours) found.push_back(engine::stringAt(one, "Id"));
  }
  return found;
}

Held MoveTest::held() {
  Held held;
  for (const std::string& one : engine_.leftovers(settings_.swarmId)) {
    held.containers += one.starts_with("containers ");
    held.networks += one.starts_with("networks ");
    held.volumes += one.starts_with("volumes ");
  }
  json::value state = fly_->get("/emulator/state");
  auto count = [&](std::string_view what) { return state.at(what).to_number<std::size_t>(); };
  held.apps = count("apps");
  held.machines = std::max(count("machines"), state.at("backend").at("machines").to_number<std::size_t>());
  held.flyVolumes = std::max(count("volumes"), state.at("backend").at("volumes").to_number<std::size_t>());
  return held;
}

bool MoveTest::eventually(const std::function<bool()>& holds, std::chrono::seconds limit) {
  Deadline deadline = Deadline::after(limit);
  while (!holds()) {
    if (deadline.hasPassed()) return false;
    runner_.run(async::sleepFor(std::chrono::milliseconds(20)));
  }
  return true;
}

void MoveTest::expectIntact(const std::string& provider, const Held& held_now) {
  json::object now = instance();
  ASSERT_EQ(now.at("provider").as_string(), provider) << json::serialize(now);
  ASSERT_TRUE(eventually([&] { return instance().at("status").as_string() == "running"; })) << json::serialize(instance());
  ASSERT_TRUE(eventually([&] { return user_processes_->placesNow() == 1; })) << user_processes_->placesNow() << " places run";
  ASSERT_EQ(listing(), expected_) << "files differ";
  ASSERT_TRUE(eventually([&] { return held() == held_now; }, kRemoval))
      << ::testing::PrintToString(held()) << ", and not " << ::testing::PrintToString(held_now);
  ASSERT_LE(user_processes_->mostPlaces(), 1) << "a user's processes ran in two places at the same time";
}

}  // namespace swarm::test
