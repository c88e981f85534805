// Providers: look-ups.
#include "controller/state/providers.h"

#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::control {

Provider* Providers::find(ProviderType type) const {
  auto found = all_.find(type);
  return found == all_.end() ? nullptr : found->second.get();
}

Provider& Providers::require(ProviderType type) const {
  Provider* provider = find(type);
  if (!provider)
    throw Error(ErrorCode::Unavailable, format("The provider \"{}\" is not configured on this server any more.", enumName(type)));
  return *provider;
}

Provider& Providers::of(const Entry& entry) const {
  const Instance& instance = entry.record.instance;
  Provider* provider = find(instance.provider);
  if (!provider)
    throw Error(ErrorCode::Unavailable, format("The provider \"{}\" of workspace {} is not configured on this server.",
                                               enumName(instance.provider), instance.config.name));
  return *provider;
}

}  // namespace swarm::control
