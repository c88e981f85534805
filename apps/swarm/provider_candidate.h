// Checks a provider's configuration that came in a request: it contains file contents, never paths of this machine, and only endpoints that
// the administrator of this machine allows.
#pragma once

#include "config.h"
#include "provider/provider.h"

namespace swarm {

/// Creates a provider for the check alone. Throws Error(InvalidArgument) for an invalid body, Error(Unprocessable) for an endpoint that is
/// neither in `config` nor in its validateAddresses, Error(NotFound) for a type without a configuration.
ProviderPtr makeCandidate(ProviderType type, const boost::json::object& body, const ServerConfig& config, const std::string& swarm_id,
                          const Clock& clock);

}  // namespace swarm
