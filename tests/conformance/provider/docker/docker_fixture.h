// The Docker provider in the conformance suite and in the tests of its own: one swarm id per test, cleaned up at the end.
#pragma once

#include <string>

#include "conformance/provider/docker/test_engine.h"
#include "conformance/provider/provider_fixture.h"

namespace swarm::testing {

class DockerFixture final : public ProviderFixture {
 public:
  explicit DockerFixture(CoroutineRunner& runner, DockerProviderConfig config = testEngineConfig());
  ~DockerFixture() override;

  ProviderPtr makeProvider() override;
  std::string image() const override { return image_; }
  std::string taggedImage() override { return engine_.tag(swarm_id_, image_); }
  void moveTag(const std::string&) override { engine_.tag(swarm_id_, engine_.ensureImageOfSecrets()); }
  void awaitProgram(const PlaceId& place_id) override { engine_.awaitProgram(swarm_id_, place_id); }
  void removeBehindBack(const PlaceId& place_id) override;
  void killBehindBack(const PlaceId& place_id) override;
  std::vector<std::string> leftovers() override { return engine_.leftovers(swarm_id_); }

  TestEngine& engine() { return engine_; }
  const std::string& swarmId() const { return swarm_id_; }

 private:
  DockerProviderConfig config_;
  TestEngine engine_;
  std::string swarm_id_;
  std::string image_;
};

}  // namespace swarm::testing
