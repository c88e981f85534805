// The CAs of `[ssh] trustedUserCAKeys`, whose user certificates sign in to the SSH listener.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "protocol/ssh.h"

namespace swarm {

/// A public key of Ed25519, ECDSA or RSA on each line, as in a file .pub; comments (#) and empty lines. Throws Error(InvalidArgument) with
/// the number of a line that is something else, and without a key.
std::vector<agent::SshPublicKey> parseTrustedAuthorities(std::string_view text);
/// Of the file; none without a name.
std::vector<agent::SshPublicKey> readTrustedAuthorities(const std::filesystem::path& file);

}  // namespace swarm
