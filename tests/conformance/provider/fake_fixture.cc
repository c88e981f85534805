// The fake provider in the conformance suite.
#include "conformance/provider/provider_fixture.h"
#include "provider/fake/fake_provider.h"

namespace swarm::testing {
namespace {

class FakeFixture final : public ProviderFixture {
 public:
  FakeFixture() { world_.addMissingImage(unknownImage()); }

  ProviderPtr makeProvider() override { return std::make_unique<fake::FakeProvider>(world_, clock_); }
  std::string image() const override { return "workspace"; }
  std::string taggedImage() override { return "tagged"; }
  void moveTag(const std::string& name) override { world_.rebuildImage(name); }
  Deviations deviations() const override {
    Deviations deviations;
    deviations.runsRealCommands = false;
    deviations.enforcesLimits = false;
    deviations.keepsFilesOutside = false;
    deviations.hasLogs = false;
    deviations.measuresUsage = false;
    deviations.hasNetworkIsolation = false;
    deviations.guardsVolumes = false;
    deviations.keepsOldUntilReplaced = false;
    return deviations;
  }
  void removeBehindBack(const PlaceId& place_id) override { world_.removeContainer(place_id); }
  void killBehindBack(const PlaceId& place_id) override { world_.exitContainer(place_id, 3); }
  std::vector<std::string> leftovers() override {
    std::vector<std::string> found;
    for (const auto& container : world_.containers()) found.push_back("container " + container.id);
    for (const auto& volume : world_.volumes()) found.push_back("volume " + volume.name);
    for (const auto& network : world_.networks()) found.push_back("network " + network.name);
    return found;
  }

 private:
  RealClock clock_;
  fake::FakeWorld world_{clock_};
};

NamedFixture fakeFixture() {
  return {"fake", [](CoroutineRunner&) { return std::make_unique<FakeFixture>(); }};
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Fake, ProviderSuite, ::testing::Values(fakeFixture()));

}  // namespace swarm::testing
