// What the fuzz target checks of one input; a unit test replays the corpus through it. A broken invariant ends the process.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/diagnostics/check.h"
#include "base/id.h"
#include "protocol/ssh.h"

namespace swarm::agent {

/// The input as a line, and as the bytes of a key of each type.
inline void fuzzSshKey(std::string_view input) {
  const auto check = [](std::string_view text) {
    const auto key = parseSshPublicKey(text);
    if (!key) {
      SWARM_CHECK(key.error().starts_with("must be "));
      return;
    }
    SWARM_CHECK(key->line.starts_with(key->type + ' '));
    SWARM_CHECK(key->line.find_first_of(std::string_view("\n\r\0", 3)) == std::string::npos);
    SWARM_CHECK(readSshPublicKey(text).has_value());
    const auto again = parseSshPublicKey(key->line);
    SWARM_CHECK(again && again->line == key->line && again->fingerprint == key->fingerprint && again->comment.empty());
  };
  check(input);
  if (const auto authority = readSshAuthority(input)) {
    SWARM_CHECK(authority->starts_with("cert-authority,principals=\"") && authority->find_first_of("\n\r") == std::string::npos);
    SWARM_CHECK(std::ranges::count(*authority, '"') == 2);
  }
  for (const std::string_view type : {"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp521", "sk-ecdsa-sha2-nistp256@openssh.com"}) {
    std::string bytes{'\0', '\0', '\0', static_cast<char>(type.size())};
    bytes.append(type).append(input);
    check(std::string(type) + ' ' + toBase64(bytes) + " me@home");
  }
}

}  // namespace swarm::agent
