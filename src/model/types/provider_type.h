// ProviderType: which provider, and how one is chosen.
#pragma once

#include <boost/describe.hpp>
#include <cstddef>
#include <string_view>

namespace swarm {

/// JSON: "docker", "flyio", "fake". Fake is for tests and benchmarks.
enum class ProviderType { docker, flyio, fake };
BOOST_DESCRIBE_ENUM(ProviderType, docker, flyio, fake)

/// For people. It stands here and not in ProviderInfo since clients have no provider.
constexpr std::string_view titleOf(ProviderType type) {
  constexpr std::string_view titles[] = {"Docker", "Fly.io", "fake"};  // in the order of ProviderType
  static_assert(sizeof titles / sizeof *titles == static_cast<std::size_t>(ProviderType::fake) + 1);
  return titles[static_cast<std::size_t>(type)];
}

/// How a provider is chosen for an instance whose request names none.
enum class PlacementPolicy { fixed, leastLoaded, cheapest };
BOOST_DESCRIBE_ENUM(PlacementPolicy, fixed, leastLoaded, cheapest)

}  // namespace swarm
