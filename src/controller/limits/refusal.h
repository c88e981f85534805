// The error of a request that exceeds a limit: how much is used, by what, and what would fit.
#pragma once

#include "controller/actor.h"
#include "controller/limits/policy.h"
#include "controller/state/registry.h"

namespace swarm::control {

/// A request that exceeds a limit.
struct Excess {
  const Bound& bound;
  std::int64_t used = 0;  ///< without the request
  std::int64_t requested = 0;
};

/// Error(Conflict). It names the largest of the instances that the actor may see.
Error refusal(const Excess& excess, const Registry& registry, const Actor& actor);
/// Throws Error(Unprocessable) when one instance would grow beyond the limits of each.
void requireWithin(const ResourceLimits& limits, const Amounts& present, const Amounts& after);
/// "2.5 cores", "4096 MiB of memory", "1 workspace".
std::string amountText(Resource resource, std::int64_t amount);

}  // namespace swarm::control
