// ProviderType: which provider, and how one is chosen.
#pragma once

#include <boost/describe.hpp>

namespace swarm {

/// JSON: "docker", "flyio", "fake". Fake is for tests and benchmarks.
enum class ProviderType { docker, flyio, fake };
BOOST_DESCRIBE_ENUM(ProviderType, docker, flyio, fake)

/// How a provider is chosen for an instance whose request names none.
enum class PlacementPolicy { fixed, leastLoaded, cheapest };
BOOST_DESCRIBE_ENUM(PlacementPolicy, fixed, leastLoaded, cheapest)

}  // namespace swarm
