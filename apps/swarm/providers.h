// The table of providers.
#pragma once

#include <map>

#include "config.h"

namespace swarm {

/// One of each kind, without a configuration.
std::vector<ProviderSetupPtr> makeProviderSetups();

/// The providers that the configuration enables. Throws Error(InvalidArgument) for an invalid configuration.
std::map<ProviderType, ProviderPtr> makeProviders(const ServerConfig& config, const ProviderContext& context);

/// Of the configurations that a request may contain.
CandidateForms candidateForms(const ServerConfig& config);
/// Creates a provider for the check alone. Throws Error(InvalidArgument) for an invalid body, Error(Unprocessable) for an endpoint that is
/// neither in `config` nor in its validateAddresses, Error(NotFound) for a type without a configuration.
ProviderPtr makeCandidate(ProviderType type, const boost::json::object& body, const ServerConfig& config, const ProviderContext& context);

}  // namespace swarm
