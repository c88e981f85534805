// The image of whole moves: small, and with all that an instance has.
#pragma once

#include <string>

#include "conformance/provider/docker/test_engine.h"

namespace swarm::testing {

inline constexpr std::string_view kChaosImage = "swarm-test-agent";  ///< its repository

/// Busybox, this build's swarm-agent as the entry point, a stand-in for code-server, and /bin/tree (tree.cc). Made once per Engine and
/// build.
std::string ensureChaosImage(TestEngine& engine);

}  // namespace swarm::testing
