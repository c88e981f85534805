// What providers and their places are called in texts for people.
#pragma once

#include <string>

#include "model/types/provider_type.h"

namespace swarm {

/// "Docker", "Fly.io (ams)".
std::string placeTitle(ProviderType provider, const std::string& region = {});

}  // namespace swarm
