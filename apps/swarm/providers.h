// The table of providers: which type is made by what.
#pragma once

#include <map>
#include <memory>

#include "config.h"
#include "provider/provider.h"

namespace swarm {

/// The providers that the configuration asks for. Throws Error(InvalidArgument) for a configuration that can't work.
std::map<ProviderType, ProviderPtr> makeProviders(const ServerConfig& config, const std::string& swarm_id, const Clock& clock);

}  // namespace swarm
