// The emulator's invariants under random calls, several at once: one name and one volume have one Machine, ids are never given twice,
// events are newest first, and every Machine comes to rest. A failure names its seed.
#include <boost/json/serialize.hpp>
#include <map>
#include <random>
#include <set>

#include "base/text/format.h"
#include "conformance/fly_emulator/fly_suite.h"
#include "conformance/fly_emulator/memory_instantiation.h"
#include "support/temp_dir.h"

namespace swarm::testing {
namespace {

class FlyRandomCalls : public FlyRules {
 protected:
  static constexpr const char* kVolumes = "/v1/apps/a1/volumes";

  int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }
  const std::string& any(const std::vector<std::string>& of) { return of[static_cast<std::size_t>(below(static_cast<int>(of.size())))]; }

  FlyRequest randomCreate() {
    json::object request = volumes_.empty() || below(2) ? machineRequest() : mounting(any(volumes_));
    if (below(3)) request["name"] = format("w{}", below(4));
    request["skip_launch"] = below(4) == 0;
    return {"POST", kMachines, json::serialize(request)};
  }

  FlyRequest randomUpdate(const std::string& machine) {
    json::object update{{"config", configWith("env", {{"A", format("{}", below(100))}})}};
    // An update cannot change a mount: send the same one.
    const json::value shown = get(machine).body;
    if (shown.is_object() && textAt(shown, "/config/mounts/0/volume") != "(missing)") {
      update.at("config").as_object()["mounts"] = shown.at_pointer("/config/mounts");
    }
    return {"POST", machine, json::serialize(update)};
  }

  FlyRequest randomVolumeCall() {
    if (volumes_.empty() || below(2)) return {"POST", kVolumes, R"({"name":"data","region":"ams","size_gb":1})"};
    const std::string volume = any(volumes_);
    switch (below(3)) {
      case 0:
        return {"DELETE", std::string(kVolumes) + "/" + volume};
      case 1:
        return {"POST", kVolumes, json::serialize(json::object{{"name", "data"}, {"region", "ams"}, {"source_volume_id", volume}})};
      default:
        return {"PUT", std::string(kVolumes) + "/" + volume + "/extend", R"({"size_gb":2})"};
    }
  }

  FlyRequest randomCall() {
    if (machines_.empty() || below(4) == 0) return below(3) ? randomCreate() : randomVolumeCall();
    const std::string machine = std::string(kMachines) + "/" + any(machines_);
    switch (below(8)) {
      case 0:
        return {"POST", machine + "/start"};
      case 1:
        return {"POST", machine + "/stop"};
      case 2:
        return {"POST", machine + "/suspend"};
      case 3:
        return {"POST", machine + "/restart"};
      case 4:
        return {"DELETE", machine + (below(2) ? "?force=true" : "")};
      case 5:
        return {"PATCH", machine + "/metadata", R"({"metadata":{"a":"1","b":null}})"};
      case 6:
        return randomUpdate(machine);
      default:
        return {"POST", machine + "/signal", R"({"signal":"SIGKILL"})"};
    }
  }

  void remember(const FlyRequest& call, const FlyResponse& response) {
    EXPECT_LT(response.status, 500) << call.method << " " << call.target << ": " << response;
    if (response.status >= 400) EXPECT_NE(response.at("/error"), "(missing)") << call.method << " " << call.target << ": " << response;
    if (response.status != 200 || call.method != "POST") return;
    if (call.target == kMachines) {
      EXPECT_TRUE(ids_.insert(response.at("/id")).second) << "an id was reused: " << response.at("/id");
      machines_.push_back(response.at("/id"));
    } else if (call.target == kVolumes) {
      EXPECT_TRUE(ids_.insert(response.at("/id")).second) << "an id was reused: " << response.at("/id");
      volumes_.push_back(response.at("/id"));
    }
  }

  void expectNewestFirst(const json::value& machine) {
    std::int64_t newer = std::numeric_limits<std::int64_t>::max();
    for (const json::value& event : machine.at("events").as_array()) {
      const auto stamp = event.at("timestamp").to_number<std::int64_t>();
      EXPECT_LE(stamp, newer) << json::serialize(machine.at("events"));
      newer = stamp;
    }
  }

  void expectInvariants() {
    const FlyResponse machines = get(kMachines);
    std::set<std::string> names;
    std::map<std::string, std::string> mounted;
    for (const json::value& machine : machines.body.as_array()) {
      const std::string id = textAt(machine, "/id");
      EXPECT_TRUE(names.insert(textAt(machine, "/name")).second) << "two Machines are called " << textAt(machine, "/name");
      EXPECT_EQ(textAt(machine, "/instance_id"), textAt(machine, "/version"));
      EXPECT_TRUE(ids_.contains(id)) << id << " was never assigned";
      expectNewestFirst(machine);
      const std::string volume = textAt(machine, "/config/mounts/0/volume");
      if (volume == "(missing)") continue;
      EXPECT_TRUE(mounted.emplace(volume, id).second) << volume << " is mounted by " << id << " and " << mounted[volume];
    }
    const FlyResponse volumes = get(kVolumes);
    const FlyResponse later = get(kMachines);  // a Machine that is not in this list may have released its volume before the list of volumes
    const auto remains = [&](const std::string& id) {
      return std::ranges::any_of(later.body.as_array(), [&](const json::value& machine) { return textAt(machine, "/id") == id; });
    };
    for (const json::value& volume : volumes.body.as_array()) {
      const auto holder = mounted.find(textAt(volume, "/id"));
      if (holder == mounted.end() || !remains(holder->second)) continue;
      EXPECT_EQ(textAt(volume, "/attached_machine_id"), holder->second) << json::serialize(volume);
    }
  }

  /// The fields of each Machine and volume that must not change without a call. States may: a Machine that should run is started again.
  std::vector<std::string> inventory() {
    std::vector<std::string> all;
    for (const json::value& machine : get(kMachines).body.as_array()) {
      all.push_back(format("{} {} {} {} {}", textAt(machine, "/id"), textAt(machine, "/name"), textAt(machine, "/instance_id"),
                           textAt(machine, "/config"), textAt(machine, "/private_ip")));
    }
    for (const json::value& volume : get(kVolumes).body.as_array()) {
      all.push_back(format("{} {} {}", textAt(volume, "/id"), textAt(volume, "/size_gb"), textAt(volume, "/attached_machine_id")));
    }
    std::ranges::sort(all);
    return all;
  }

  void expectTheSameAfterARestart() {
    eventually(
        [&] {
          return std::ranges::none_of(get(kMachines).body.as_array(),
                                      [](const json::value& machine) { return textAt(machine, "/state") == "destroying"; });
        },
        "what is being destroyed is gone");
    const std::vector<std::string> before = inventory();
    restart();
    EXPECT_EQ(inventory(), before);
  }

  void expectRest() {
    for (const json::value& machine : get(kMachines).body.as_array()) {
      const FlyResponse response = get(std::string(kMachines) + "/" + textAt(machine, "/id") + "/wait?state=settled&timeout=20");
      EXPECT_EQ(response.status, 200) << response;
    }
    ASSERT_EQ(remove("/v1/apps/a1?force=true").status, 202);
    emulator::Backend& backend = emulator().backend();
    const Deadline deadline = Deadline::after(std::chrono::seconds(20));
    eventually([&] { return loop.run(backend.machineIds(deadline)).empty() && loop.run(backend.volumeIds(deadline)).empty(); },
               "nothing is left at the backend");
  }

  enum class Restarts { Never, Sometimes };

  void callAtRandom(unsigned seed, Restarts restarts = Restarts::Never) {
    // --gtest_random_seed=N: sequences other than the default ones.
    seed += 100 * static_cast<unsigned>(GTEST_FLAG_GET(random_seed));
    SCOPED_TRACE(format("seed {}", seed));
    random_.seed(seed);
    createApp();
    for (int round = 0; round < 60; ++round) {
      std::vector<FlyRequest> calls;
      for (int i = below(4); i >= 0; --i) calls.push_back(randomCall());
      const std::vector<FlyResponse> responses = sendAtOnce(calls);
      std::string trace = format("round {}", round);
      for (std::size_t i = 0; i < calls.size(); ++i) {
        trace += format("\n  {} {} {} -> {}", calls[i].method, calls[i].target, calls[i].body.value_or(""), responses[i].status);
      }
      SCOPED_TRACE(trace);
      for (std::size_t i = 0; i < calls.size(); ++i) remember(calls[i], responses[i]);
      expectInvariants();
      if (restarts == Restarts::Sometimes && below(10) == 0) expectTheSameAfterARestart();
      if (HasFailure()) return;
    }
    expectRest();
  }

  test::TempDir folder_;
  std::mt19937 random_;
  std::set<std::string> ids_;
  std::vector<std::string> machines_;
  std::vector<std::string> volumes_;
};

TEST_P(FlyRandomCalls, keepTheInvariantsWithoutDelays) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    callAtRandom(seed);
    if (HasFailure()) return;
    machines_.clear();
    volumes_.clear();
    eventually([&] { return get("/v1/apps/a1").status == 404; }, "the app is gone");
  }
}

TEST_P(FlyRandomCalls, keepTheInvariantsWhileStatesTakeTheirTime) {
  using std::chrono::milliseconds;
  auto& times = options.times;
  times.launch = times.start = times.stop = times.suspend = times.update = times.destroy = milliseconds(3);
  times.volumeUnbind = times.volumeHydrate = milliseconds(5);
  callAtRandom(4);
}

TEST_P(FlyRandomCalls, keepTheInvariantsOverRestarts) {
  options.dataDir = folder_.path();
  for (unsigned seed = 5; seed <= 6; ++seed) {
    callAtRandom(seed, Restarts::Sometimes);
    if (HasFailure()) return;
    machines_.clear();
    volumes_.clear();
    eventually([&] { return get("/v1/apps/a1").status == 404; }, "the app is gone");
  }
}

INSTANTIATE_TEST_SUITE_P(Fly, FlyRandomCalls, ::testing::ValuesIn(memoryBackends()), flyBackendName);

}  // namespace
}  // namespace swarm::testing
