// The table of providers: the factory of each type.
#pragma once

#include <map>
#include <memory>

#include "config.h"
#include "provider/provider.h"

namespace swarm {

/// The providers that the configuration enables. Throws Error(InvalidArgument) for an invalid configuration.
std::map<ProviderType, ProviderPtr> makeProviders(const ServerConfig& config, const std::string& swarm_id, const Clock& clock);

}  // namespace swarm
