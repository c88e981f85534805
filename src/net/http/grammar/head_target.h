// Internal: what the gate accepts as request target and as Host.
#pragma once

#include <string_view>

#include "net/http/http.h"

namespace swarm::net {

struct GatedTarget {
  std::string_view text;
  bool odd = false;  ///< see OddPaths
};

/// Reduces `target` to origin form or "*" (see RequestHead::target); `host_port` is the validated Host.
std::expected<GatedTarget, HeadError> gateTarget(std::string_view target, std::string_view method, std::string_view host_port);

/// The host of "host", "host:port", "[v6]:port"; empty when malformed.
std::string_view gateHost(std::string_view host_port);

}  // namespace swarm::net
