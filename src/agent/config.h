// AgentConfig: what the provider wrote into /etc/swarm/agent.json before the instance's first start.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent/binds.h"
#include "base/secret.h"

namespace swarm::agent {

struct AgentConfig {
  std::string instanceId;
  Secret secret;                              ///< raw bytes; hex in the file
  std::vector<std::filesystem::path> mounts;  ///< where storage is mounted; made the user's own when fresh
  std::string user = "coder";                 ///< who VS Code runs as
  std::vector<StorageBind> binds;             ///< directories of a volume that are to be seen elsewhere; made before all else
  std::string hold;                           ///< the transfer for which the agent starts held (hold.h); empty: it starts everything
};

/// Throws Error(InvalidArgument) that names the file and what is wrong with it, never its content. Members that it does not know are
/// skipped: a newer server may write more.
AgentConfig loadConfig(const std::filesystem::path& path);

/// Makes the file root's, 0400. Only logs when that fails: the agent is of more use running.
void protectConfig(const std::filesystem::path& path);

}  // namespace swarm::agent
