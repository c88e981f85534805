// The host key of the SSH listener: made once, and kept in the data folder.
#pragma once

#include <filesystem>
#include <string>

#include "base/secret.h"

namespace swarm::ssh {

struct HostKey {
  Secret privateKey;      ///< in OpenSSH's form
  std::string publicKey;  ///< "ssh-ed25519 AAAA…"
};

/// Reads DATA/ssh_host_ed25519_key, which it makes with mode 0600 where it is missing. Throws Error when it cannot be read, made, or used.
HostKey keepHostKey(const std::filesystem::path& data_dir);

std::string encodePrivateKey(const Secret& seed);  ///< of an Ed25519 key, without a passphrase

}  // namespace swarm::ssh
