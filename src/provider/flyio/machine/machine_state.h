// What Fly tells of a Machine as a ProviderInstance. Pure.
#pragma once

#include "provider/flyio/api/fly_types.h"
#include "provider/flyio/flyio_config.h"
#include "provider/provider.h"

namespace swarm::flyio {

/// Where the events are missing (lists), an end can't be told from a failure: then `stopped`.
ProviderInstance toInstance(const Machine& machine, const FlyIOProviderConfig& config);
ResourceConfig resourcesOf(const Machine& machine);
NetworkInfo networkOf(const Machine& machine, const FlyIOProviderConfig& config);
/// Where it may be moved when its host has no room: what the instance asked for, else the configured ones.
std::vector<std::string> regionsAllowed(const Machine& machine, const FlyIOProviderConfig& config);
bool isPrivate(const Machine& machine);

/// The time of its newest event of a type ("exit", "start") in Unix milliseconds; 0 without one.
std::int64_t newestEvent(const Machine& machine, std::string_view type);

/// States that pass by themselves (§4).
/// For a call that needs the Machine's host. Waiting a moment does not help, so that it is not retryable.
Error hostUnreachable(const Machine& machine);
bool isTransient(std::string_view state);

}  // namespace swarm::flyio
