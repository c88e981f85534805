// AgentConfig: what the agent was told when its container was made: in its environment, or, before agents had public keys, in a file.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "agent/binds.h"
#include "model/types.h"
#include "protocol/instance_token.h"

namespace swarm::agent {

struct AgentConfig {
  std::string instanceId;
  VerifyingKey key;                           ///< of tokens; hex as "publicKey" in the environment, as "secret" in the file
  std::vector<std::filesystem::path> mounts;  ///< where storage is mounted; made the user's own when fresh
  std::string user = "coder";                 ///< who VS Code runs as
  std::vector<StorageBind> binds;             ///< directories of a volume that are to be seen elsewhere; made before all else
  std::string setup;                          ///< the instance's setup script (setup.h); empty: none
  GitIdentity git;                            ///< for a home without a ~/.gitconfig; empty: not known
  std::string hold;                           ///< the transfer for which the agent starts held (hold.h); empty: it starts everything
};

/// The value of SWARM_AGENT: a JSON object. Throws Error(InvalidArgument) that says what is wrong with it. Members that it does not know
/// are skipped: a newer server may write more. A secret is refused: every process of root's could read it.
AgentConfig readSettings(const std::string& text);
/// The same from the file of an agent that was given a secret. What it throws never has the file's content.
AgentConfig loadConfig(const std::filesystem::path& path);

/// Throws Error(InvalidArgument) unless it is root's: an image that ends with another USER gives the agent no right to act for its users.
void requireRoot(uid_t user);

/// Makes the file root's, 0400. Only logs when that fails: the agent is of more use running.
void protectConfig(const std::filesystem::path& path);

}  // namespace swarm::agent
