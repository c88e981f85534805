// The fixture, and what is done behind the provider's back.
#include "conformance/provider/fly/fly_fixture.h"

#include "base/id.h"
#include "base/text/format.h"
#include "provider/flyio/flyio_provider.h"

namespace swarm::testing {

namespace json = boost::json;

Deviations FlyFixture::flyDeviations() {
  Deviations deviations;
  deviations.keepsFilesOutside = false;
  deviations.measuresUsage = false;
  deviations.reportsUsage = false;
  deviations.runsAnySize = false;
  deviations.hasNetworkIsolation = false;
  deviations.previewsImages = false;  // the emulator has no registry
  deviations.seesMovedTags = false;
  return deviations;
}

FlyFixture::FlyFixture(CoroutineRunner& runner, const MakeBackend& make_backend, std::string image, Deviations deviations,
                       Transport transport)
    : swarm_id_(newId("test")),
      image_(std::move(image)),
      deviations_(deviations),
      world_(
          runner, make_backend,
          [] {
            emulator::EmulatorOptions options;
            options.rateLimits = emulator::RateLimits::Off;
            return options;
          }(),
          transport) {}

FlyFixture::~FlyFixture() = default;

ProviderPtr FlyFixture::makeProvider() {
  return std::make_unique<flyio::FlyIOProvider>(world_.providerConfig(), swarm_id_, world_.clock(), FlyWorld::quickTuning());
}

ResourceConfig FlyFixture::effective(ResourceConfig requested) const { return flyio::effectiveOn(flyio::roundUp(requested), requested); }

std::string FlyFixture::hostname(const InstanceSpec& spec) const {
  return flyio::appName(world_.providerConfig(), swarm_id_, spec.placeId) + ".fly.localhost";
}

std::string FlyFixture::machinePath(const PlaceId& place_id) {
  json::array all = world_.machines();
  for (const json::value& machine : all) {
    if (machine.at("config").at("metadata").at("swarm_instance").as_string() != place_id.str()) continue;
    return format("/v1/apps/{}/machines/{}", std::string(machine.at("app_name").as_string()), std::string(machine.at("id").as_string()));
  }
  throw std::logic_error("no Machine of " + place_id.str());
}

void FlyFixture::removeBehindBack(const PlaceId& place_id) { world_.send("DELETE", machinePath(place_id) + "?force=true"); }

void FlyFixture::killBehindBack(const PlaceId& place_id) {
  world_.send("POST", machinePath(place_id) + "/signal", json::object{{"signal", "SIGKILL"}});
}

}  // namespace swarm::testing
