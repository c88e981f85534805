// AgentConfig: the agent's settings, given when its container was created: in its environment or, for agents older than public keys, in a
// file.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "agent/workspace/binds.h"
#include "model/types/git_identity.h"
#include "protocol/instance_token.h"

namespace swarm::agent {

struct AgentConfig {
  std::string instanceId;
  VerifyingKey key;                           ///< verifies tokens; hex as "publicKey" in the environment, as "secret" in the file
  Secret tlsKey;                              ///< the port requires TLS with it; hex in the environment; empty: plain HTTP
  std::vector<std::filesystem::path> mounts;  ///< where storage is mounted; given to the user when fresh
  std::string user = "coder";                 ///< the user that VS Code runs as
  std::vector<StorageBind> binds;             ///< directories of a volume to mount elsewhere; created first
  std::int64_t shmSize = 0;                   ///< MiB of /dev/shm; 0: as it is mounted
  std::string setup;                          ///< the instance's setup script (setup.h); empty: none
  GitIdentity git;                            ///< for a home without a ~/.gitconfig; empty: unknown
  std::string hold;                           ///< the transfer for which the agent starts held (hold.h); empty: it starts everything
};

/// Parses SWARM_AGENT: a JSON object. Throws Error(InvalidArgument) with the reason. Unknown members are skipped: a newer server may write
/// more. A secret is refused: every process of root could read it.
AgentConfig readSettings(const std::string& text);
/// The same from the file of an agent with a shared secret. Its exceptions never contain the file's content.
AgentConfig loadConfig(const std::filesystem::path& path);

/// Throws Error(InvalidArgument) unless the agent runs as root: in an image that ends with another USER, the agent cannot act for its
/// users.
void requireRoot(uid_t user);

/// Makes the file root's, 0400. Only logs a failure: a running agent is more useful than none.
void protectConfig(const std::filesystem::path& path);

}  // namespace swarm::agent
