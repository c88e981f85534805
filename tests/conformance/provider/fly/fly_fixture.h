// The Fly provider in the conformance suite: one emulated Fly per test, on one of the emulator's backends.
#pragma once

#include <string>

#include "conformance/provider/fly/fly_world.h"
#include "conformance/provider/provider_fixture.h"

namespace swarm::testing {

class FlyFixture final : public ProviderFixture {
 public:
  FlyFixture(CoroutineRunner& runner, const MakeBackend& make_backend, std::string image, Deviations deviations,
             Transport transport = Transport::Plain);
  ~FlyFixture() override;

  ProviderPtr makeProvider() override;
  std::string image() const override { return image_; }
  Deviations deviations() const override { return deviations_; }
  ResourceConfig effective(ResourceConfig requested) const override;
  std::string hostname(const InstanceSpec& spec) const override;
  void removeBehindBack(const PlaceId& place_id) override;
  void killBehindBack(const PlaceId& place_id) override;
  std::vector<std::string> leftovers() override { return world_.leftovers(); }

  FlyWorld& world() { return world_; }

  /// What no Fly can do, whatever the backend; the provider's README.md lists the same.
  static Deviations flyDeviations();

 private:
  std::string machinePath(const PlaceId& place_id);
  std::string swarm_id_;
  std::string image_;
  Deviations deviations_;
  FlyWorld world_;
};

}  // namespace swarm::testing
