// SshKey: a public key with which its owner signs in to the SSH listener, and to workspaces behind it.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>

#include "base/clock.h"

namespace swarm {

struct SshKey {
  std::string id{};
  std::string name{};
  std::string owner{};
  std::string type{};         ///< "ssh-ed25519"
  std::string fingerprint{};  ///< "SHA256:…", as ssh-keygen prints it; of one key of its owner
  std::string publicKey{};    ///< "ssh-ed25519 AAAA…"
  SystemTime createdAt{};
  std::optional<SystemTime> lastUsedAt{};
};
BOOST_DESCRIBE_STRUCT(SshKey, (), (id, name, owner, type, fingerprint, publicKey, createdAt, lastUsedAt))

}  // namespace swarm
