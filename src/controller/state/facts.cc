// Adopts a provider's report.
#include "controller/state/facts.h"

namespace swarm::control {

void adoptFacts(const Context& context, Entry& entry, const ProviderInstance& observed) {
  Instance& instance = entry.instance();
  instance.resources = observed.resources;
  instance.network = observed.network;
  instance.region = observed.region;
  instance.imageOutdated = context.providers.of(entry).isImageOutdated(observed, instance.config.image);
  if (instance.network.urls.empty() && !instance.url.empty()) instance.network.urls.push_back(instance.url);
  instance.stale = false;
  instance.observedAt = context.clock.now();
  auto& known = entry.record.external;
  if (!observed.external.empty())  // a replaced container is not removed with the instance any more
    std::erase_if(known, [&](const ExternalResource& resource) {
      return isMachine(resource) && std::find(observed.external.begin(), observed.external.end(), resource) == observed.external.end();
    });
  for (const ExternalResource& resource : observed.external)
    if (std::find(known.begin(), known.end(), resource) == known.end()) known.push_back(resource);
}

}  // namespace swarm::control
