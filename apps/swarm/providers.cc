// One entry for each provider.
#include "providers.h"

#include "provider/docker/docker_config.h"
#include "provider/fake/fake_provider.h"
#include "provider/flyio/flyio_config.h"

namespace swarm {
namespace {

/// The fake provider with its world.
class OwningFakeProvider {
 public:
  static ProviderPtr make(const std::string& swarm_id, const Clock& clock) {
    // The world lives as long as the process.
    static fake::FakeWorld world(clock);
    fake::FakeOptions options;
    options.swarmId = swarm_id;
    return std::make_unique<fake::FakeProvider>(world, clock, options);
  }
};

}  // namespace

std::map<ProviderType, ProviderPtr> makeProviders(const ServerConfig& config, const std::string& swarm_id, const Clock& clock) {
  std::map<ProviderType, ProviderPtr> providers;
  if (config.fakeProvider) {
    providers.emplace(ProviderType::fake, OwningFakeProvider::make(swarm_id, clock));
    return providers;
  }
  if (config.dockerEnabled) {
    std::vector<DockerProviderConfig> engines = config.dockerHosts;
    engines.insert(engines.begin(), config.docker);
    for (DockerProviderConfig& engine : engines) engine.tags = config.tags;
    providers.emplace(ProviderType::docker, makeDockerProvider(std::move(engines), swarm_id));
  }
  if (config.flyio) providers.emplace(ProviderType::flyio, makeFlyIOProvider(*config.flyio, swarm_id, clock));
  return providers;
}

}  // namespace swarm
