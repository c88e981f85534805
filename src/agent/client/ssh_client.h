// SSH to one agent's workspace: the part of AgentClient that the API's route uses.
#pragma once

#include <string>
#include <vector>

#include "agent/client/client.h"

namespace swarm::agent {

struct SshTunnel {
  net::StreamPtr stream;
  std::string hostKey;  ///< "ssh-ed25519 …", checked
};
/// What an sshd admits, and nothing else.
struct SshAdmission {
  std::vector<std::string> keys;  ///< at least one; an agent of a version before several keys admits only the first
  std::string authority{};        ///< public key of a CA; empty: none; an agent of a version before certificates ignores it
  std::string user{};             ///< the principal that certificates of the CA must have
};
/// Throws
/// Error(Unprocessable) with the reason when the image lacks sshd, UpstreamFailed when the agent names no valid host key, and as the other
/// tunnels do.
awaitable<SshTunnel> openSshTunnel(AgentTarget target, SshAdmission admitted, Deadline deadline);

}  // namespace swarm::agent
