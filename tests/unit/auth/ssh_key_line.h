// Public keys of SSH that are well formed, and of which no private half exists.
#pragma once

#include <string>
#include <string_view>

#include "base/id.h"

namespace swarm::test {

/// Another key for each seed.
inline std::string sshKeyLine(std::string_view seed) {
  const std::string type = "ssh-ed25519";
  const std::string bytes = std::string("\0\0\0\x0b", 4) + type + std::string("\0\0\0\x20", 4) + sha256(seed);
  return type + ' ' + toBase64(bytes);
}

}  // namespace swarm::test
