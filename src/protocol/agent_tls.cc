#include "protocol/agent_tls.h"

#include "base/diagnostics/check.h"
#include "base/id.h"
#include "protocol/ed25519.h"

namespace swarm::agent {

Secret tlsKeyOf(const Secret& token_seed, std::string_view place_id) {
  SWARM_CHECK(token_seed.reveal().size() == ed25519::kSeedBytes);
  // One block of HKDF-Expand (RFC 5869): the seed is random and of the full length, so that nothing has to be extracted first.
  std::string info("swarm agent tls 1\0", 18);
  info.append(place_id).push_back('\x01');
  return Secret(hmacSha256(token_seed.reveal(), info));
}

}  // namespace swarm::agent
