// A Machine as a ProviderInstance. Pure.
#pragma once

#include "base/error.h"
#include "net/url.h"
#include "provider/flyio/api/machine.h"
#include "provider/flyio/flyio_config.h"
#include "provider/provider.h"

namespace swarm::flyio {

/// Without events (in lists) a failure looks like a normal end: `stopped`.
ProviderInstance toInstance(const Machine& machine, const FlyIOProviderConfig& config);
ResourceConfig resourcesOf(const Machine& machine);
NetworkInfo networkOf(const Machine& machine, const FlyIOProviderConfig& config);
/// Where it may be moved when its host has no capacity: the regions that the instance names, else the configured ones.
std::vector<std::string> regionsAllowed(const Machine& machine, const FlyIOProviderConfig& config);
bool isPrivate(const Machine& machine);
net::Url urlOf(const Machine& machine, const FlyIOProviderConfig& config);  ///< of its app's services

/// The time of its newest event of a type ("exit", "start") in Unix milliseconds; 0 without one.
std::int64_t newestEvent(const Machine& machine, std::string_view type);

/// For a call that needs the Machine's host. Waiting a moment does not help, so it is not retryable.
Error hostUnreachable(const Machine& machine);

}  // namespace swarm::flyio
