// TLS between the server and the agent at one place (docs/adr/0019-tls-to-agents.md).
#pragma once

#include <string_view>

#include "base/secret.h"

namespace swarm::agent {

/// The private key (Ed25519, raw bytes) of the agent at that place: always the same one, from the seed that signs the instance's tokens. An
/// agent that has it learns nothing of the seed, or of the keys of other places.
Secret tlsKeyOf(const Secret& token_seed, std::string_view place_id);

}  // namespace swarm::agent
