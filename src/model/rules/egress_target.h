// EgressTarget: a network, and perhaps a port, that an egress policy allows: "10.1.0.0/16:443".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swarm {

struct EgressTarget {
  enum class Family { V4, V6 };
  Family family = Family::V4;
  std::string network;     ///< in canonical form, with the length of its prefix: "10.1.0.0/16", "fd00::/8"
  std::uint16_t port = 0;  ///< 0: every port, and protocols without ports
  friend bool operator==(const EgressTarget&, const EgressTarget&) = default;
};

inline constexpr std::string_view kEgressTargetForm =
    "must be an IPv4 or IPv6 address or network, perhaps with a port: 10.1.0.0/16, 10.1.0.0/16:443, fd00::/8, [fd00::/8]:443";

/// Nothing: it does not have that form. Bits beyond the prefix are cleared.
std::optional<EgressTarget> parseEgressTarget(std::string_view text);

}  // namespace swarm
