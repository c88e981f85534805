// The default placement policy.
#include "controller/placement.h"

#include "base/format.h"
#include "model/codec.h"

namespace swarm::control {

ProviderType defaultProvider(const std::vector<PlacementCandidate>& candidates) {
  if (candidates.empty()) throw Error(ErrorCode::Unavailable, "The server has no provider.");
  for (const PlacementCandidate& candidate : candidates)
    if (candidate.type == ProviderType::docker) return candidate.type;
  return candidates.front().type;
}

ProviderType choosePlacement(const std::optional<ProviderType>& asked, const std::vector<PlacementCandidate>& candidates) {
  if (!asked) return defaultProvider(candidates);
  for (const PlacementCandidate& candidate : candidates)
    if (candidate.type == *asked) return *asked;
  std::string message = format("This server has no provider \"{}\".", enumName(*asked));
  throw Error(ErrorCode::InvalidArgument, message).withField("/provider", "is not configured on this server");
}

}  // namespace swarm::control
