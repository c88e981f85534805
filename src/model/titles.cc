#include "model/titles.h"

#include "base/text/format.h"

namespace swarm {

std::string placeTitle(ProviderType provider, const std::string& region) {
  return region.empty() ? std::string(titleOf(provider)) : format("{} ({})", titleOf(provider), region);
}

}  // namespace swarm
