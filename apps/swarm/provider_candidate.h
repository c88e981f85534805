// A provider's configuration that came in a request, to be checked: contents, never paths of this machine, and no endpoint that the
// administrator of this machine did not allow.
#pragma once

#include "config.h"
#include "provider/provider.h"

namespace swarm {

/// Makes a provider that is asked and dropped. Throws Error(InvalidArgument) for a wrong body, Error(Unprocessable) for an endpoint that is
/// neither in `config` nor in its validateAddresses, Error(NotFound) for a type without a configuration.
ProviderPtr makeCandidate(ProviderType type, const boost::json::object& body, const ServerConfig& config, const std::string& swarm_id,
                          const Clock& clock);

}  // namespace swarm
