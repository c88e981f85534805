// The Engine, and an emulated Fly.
#include "chaos/kill/killed_world.h"

#include "chaos/kill/fly_process.h"
#include "chaos/kill/server_process.h"
#include "conformance/provider/docker/test_engine.h"

namespace swarm::test {
namespace {

class KilledDocker final : public KilledWorld {
 public:
  KilledDocker() : engine_(runner_, testing::testEngineConfig()) {}
  void prepare(ServerSettings& settings) override { settings.image = engine_.ensureImage(); }
  Holdings holdings(const std::string& swarm_id) override {
    Holdings have;
    for (const std::string& one : engine_.leftovers(swarm_id)) {
      have.machines += one.starts_with("containers ");
      have.enclosures += one.starts_with("networks ");
      have.volumes += one.starts_with("volumes ");
    }
    return have;
  }
  Holdings holdingsOf(std::size_t instances, std::size_t volumes) const override { return {instances, instances, volumes, 0}; }
  void removeAll(const std::string& swarm_id) override { engine_.removeAll(swarm_id); }

 private:
  testing::CoroutineRunner runner_;
  testing::TestEngine engine_;
};

class KilledFly final : public KilledWorld {
 public:
  void prepare(ServerSettings& settings) override {
    settings.image = "workspace";
    settings.flyApi = fly_.apiUrl();
  }
  Holdings holdings(const std::string&) override {
    boost::json::value state = fly_.get("/emulator/state");
    auto count = [&](std::string_view what) { return state.at(what).to_number<std::size_t>(); };
    return {count("machines"), count("apps"), count("volumes"), count("ips")};
  }
  /// A volume can't be without its app; the addresses go with the Machine.
  Holdings holdingsOf(std::size_t instances, std::size_t volumes) const override {
    return {instances, std::max(instances, volumes), volumes, 2 * instances};
  }
  void removeAll(const std::string&) override { fly_.removeAllApps(); }

 private:
  FlyProcess fly_{{"--backend", "memory"}};
};

}  // namespace

std::unique_ptr<KilledWorld> makeKilledDocker() { return std::make_unique<KilledDocker>(); }
std::unique_ptr<KilledWorld> makeKilledFly() { return std::make_unique<KilledFly>(); }

}  // namespace swarm::test
