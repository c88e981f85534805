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
/// Opens a tunnel to an sshd that admits `client_keys` alone; an agent of a version before several keys admits only the first. Throws
/// Error(Unprocessable) with the reason when the image lacks sshd, UpstreamFailed when the agent names no valid host key, and as the other
/// tunnels do.
awaitable<SshTunnel> openSshTunnel(AgentTarget target, std::vector<std::string> client_keys, Deadline deadline);

}  // namespace swarm::agent
