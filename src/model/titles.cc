#include "model/titles.h"

#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm {

std::string placeTitle(ProviderType provider, const std::string& region) {
  std::string title = provider == ProviderType::docker  ? "Docker"
                      : provider == ProviderType::flyio ? "Fly.io"
                                                        : std::string(enumName(provider));
  return region.empty() ? title : format("{} ({})", title, region);
}

}  // namespace swarm
