// Two Docker Engines behind one provider: the machine's as "local", and one of the test program's own as "box2".
#pragma once

#include <map>
#include <string>

#include "conformance/provider/docker/test_engine.h"
#include "conformance/provider/provider_fixture.h"
#include "integration/docker/own_engine.h"

namespace swarm::testing {

class DockerHostsFixture final : public ProviderFixture {
 public:
  DockerHostsFixture(CoroutineRunner& runner, std::string place);
  ~DockerHostsFixture() override;

  static bool possible() { return OwnEngine::possible(); }
  static OwnEngine& otherEngine();  ///< started when it is first needed, ended with the program

  ProviderPtr makeProvider() override;
  std::string image() const override { return image_; }
  std::string taggedImage() override;
  void moveTag(const std::string& name) override;
  void choosePlace(InstanceConfig& config) const override;
  void awaitProgram(const PlaceId& place_id) override { engineOf(place_id).awaitProgram(swarm_id_, place_id); }
  void removeBehindBack(const PlaceId& place_id) override;
  void killBehindBack(const PlaceId& place_id) override;
  std::vector<std::string> leftovers() override;

  TestEngine& engine(const std::string& name) { return engines_.at(name); }
  const std::string& swarmId() const { return swarm_id_; }

 private:
  TestEngine& engineOf(const PlaceId& place_id);

  std::map<std::string, TestEngine> engines_;  ///< "box2", "local"
  std::string swarm_id_;
  std::string place_;
  std::string image_;
};

}  // namespace swarm::testing
