// What providers and their places are called in texts for people.
#pragma once

#include <string>

#include "model/types/provider_type.h"

namespace swarm {

/// "Docker", "Fly.io (ams)".
inline std::string placeTitle(ProviderType provider, const std::string& region = {}) {
  std::string title(titleOf(provider));
  return region.empty() ? title : title + " (" + region + ")";
}

}  // namespace swarm
