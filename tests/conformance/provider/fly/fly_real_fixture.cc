// The opt-in run of the suite against the real Fly: FLY_API_TOKEN is set. src/provider/flyio/README.md explains how, and what it costs.
// Everything is in apps named "swarmtest-…", which are deleted at the end of each test.
#include <boost/json/value.hpp>
#include <cstdlib>
#include <iostream>

#include "base/id.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "conformance/provider/provider_fixture.h"
#include "provider/flyio/flyio_provider.h"

namespace swarm::testing {
namespace {

using namespace flyio;

std::string variable(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

FlyIOProviderConfig realConfig() {
  FlyIOProviderConfig config;
  config.apiToken = Secret(variable("FLY_API_TOKEN", ""));
  config.organization = variable("FLY_ORG", "personal");
  config.defaultRegion = variable("FLY_REGION", "");
  config.appPrefix = "swarmtest";
  return config;
}

class FlyRealFixture final : public ProviderFixture {
 public:
  explicit FlyRealFixture(CoroutineRunner& runner)
      : runner_(runner), transport_(config_.apiBaseUrl, config_.apiToken, Tuning{}), image_(variable("FLY_TEST_IMAGE", "")) {
    if (config_.apiToken.empty() || image_.empty()) throw std::runtime_error("set FLY_API_TOKEN and FLY_TEST_IMAGE");
  }
  ~FlyRealFixture() override {
    try {
      for (const std::string& app : apps()) {
        FlyCall call{Action::DeleteApp, config_.organization, "DELETE", format("/v1/apps/{}?force=true", app), "clean up"};
        runner_.run(transport_.send(std::move(call), soon()));
      }
    } catch (const std::exception& error) {
      ADD_FAILURE() << "cleaning up failed, check for apps named swarmtest-*: " << error.what();
    }
  }

  ProviderPtr makeProvider() override { return makeFlyIOProvider(config_, swarm_id_, clock_); }
  std::string image() const override { return image_; }
  std::string unknownImage() const override { return "registry.fly.io/swarm-no-such-image:1"; }
  Deviations deviations() const override {
    Deviations deviations;
    deviations.keepsFilesOutside = false;
    deviations.measuresUsage = false;
    deviations.reportsUsage = false;
    deviations.runsAnySize = false;
    deviations.hasNetworkIsolation = false;
    deviations.seesMovedTags = false;
    return deviations;
  }
  ResourceConfig effective(ResourceConfig requested) const override { return effectiveOn(roundUp(requested), requested); }
  std::string hostname(const InstanceSpec& spec) const override { return appName(config_, swarm_id_, spec.placeId) + ".fly.dev"; }
  void removeBehindBack(const PlaceId& place_id) override { act(place_id, "DELETE", "?force=true", {}); }
  void killBehindBack(const PlaceId& place_id) override { act(place_id, "POST", "/signal", json::object{{"signal", "SIGKILL"}}); }
  std::vector<std::string> leftovers() override {
    std::vector<std::string> found;
    // Deleting an app takes Fly a moment (202).
    runner_.waitFor([&] { return (found = apps()).empty(); }, std::chrono::seconds(60));
    return found;
  }

 private:
  static Deadline soon() { return Deadline::after(std::chrono::minutes(2)); }
  std::vector<std::string> apps() {
    std::string target = format("/v1/apps?org_slug={}&limit=5000", config_.organization);
    FlyCall call{Action::ListApps, config_.organization, "GET", std::move(target), "list the test's apps"};
    json::value document = runner_.run(transport_.call(std::move(call), soon()));
    std::vector<std::string> found;
    for (const json::value& app : arrayAt(document, "apps")) {
      std::string name = stringAt(app, "name");
      if (name.starts_with(appNamePrefix(config_, swarm_id_))) found.push_back(std::move(name));
    }
    return found;
  }
  void act(const PlaceId& place_id, std::string method, std::string suffix, std::optional<json::value> body) {
    std::string app = appName(config_, swarm_id_, place_id);
    std::string machines = format("/v1/apps/{}/machines", app);
    json::value found = runner_.run(transport_.call({Action::ListMachines, app, "GET", machines, "list the Machines"}, soon()));
    if (!found.is_array() || found.as_array().empty()) throw std::logic_error("no Machine of " + place_id.str());
    std::string id = stringAt(found.as_array().front(), "id");
    FlyCall call{Action::DeleteMachine, id, std::move(method), format("{}/{}{}", machines, id, suffix), "break something", std::move(body)};
    runner_.run(transport_.send(std::move(call), soon()));
  }

  CoroutineRunner& runner_;
  RealClock clock_;
  FlyIOProviderConfig config_ = realConfig();
  std::string swarm_id_ = newId("test");
  FlyTransport transport_;
  std::string image_;
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(FlyReal, ProviderSuite,
                         ::testing::Values(NamedFixture{"fly_real", [](CoroutineRunner& runner) -> std::unique_ptr<ProviderFixture> {
                                                          return std::make_unique<FlyRealFixture>(runner);
                                                        }}));

}  // namespace swarm::testing
