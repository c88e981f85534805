#include "providers.h"

#include <algorithm>

#include "base/text/format.h"
#include "model/codec/codec.h"
#include "provider/docker/docker_config.h"
#include "provider/fake/fake_provider.h"
#include "provider/flyio/flyio_config.h"

namespace swarm {

std::vector<ProviderSetupPtr> makeProviderSetups() {
  std::vector<ProviderSetupPtr> setups;
  setups.push_back(makeDockerSetup());
  setups.push_back(makeFlyIOSetup());
  return setups;
}

std::map<ProviderType, ProviderPtr> makeProviders(const ServerConfig& config, const ProviderContext& context) {
  std::map<ProviderType, ProviderPtr> providers;
  auto add = [&](ProviderPtr provider) {
    if (provider) providers.emplace(provider->type(), std::move(provider));
  };
  if (config.fakeProvider) {
    static fake::FakeWorld world(context.clock);  // lives as long as the process
    fake::FakeOptions options;
    options.swarmId = context.swarmId;
    options.regions = {"ams", "fra", "box2"};  // those of the examples in the OpenAPI document
    add(std::make_unique<fake::FakeProvider>(world, context.clock, options));
  } else {
    for (const ProviderSetupPtr& setup : config.providers) add(setup->make(context));
  }
  return providers;
}

CandidateForms candidateForms(const ServerConfig& config) {
  CandidateForms forms;
  for (const ProviderSetupPtr& setup : config.providers) forms.emplace(setup->type(), setup->candidateForm());
  return forms;
}

ProviderPtr makeCandidate(ProviderType type, const boost::json::object& body, const ServerConfig& config, const ProviderContext& context) {
  auto setup = std::ranges::find(config.providers, type, &ProviderSetup::type);
  if (setup == config.providers.end()) throw Error(ErrorCode::NotFound, format("The {} provider has no configuration.", enumName(type)));
  std::vector<std::string> allowed = config.validateAddresses;
  for (const ProviderSetupPtr& one : config.providers)
    for (const net::HostPort& endpoint : one->endpoints()) allowed.push_back(net::toString(endpoint));
  Candidate candidate(std::move(allowed));
  return (*setup)->makeCandidate(body, candidate, context);
}

}  // namespace swarm
