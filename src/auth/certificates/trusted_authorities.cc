#include "auth/certificates/trusted_authorities.h"

#include "auth/certificates/key_file.h"
#include "base/error.h"
#include "base/text/format.h"
#include "protocol/ssh_certificate.h"

namespace swarm {

std::vector<agent::SshPublicKey> parseTrustedAuthorities(std::string_view text) {
  std::vector<agent::SshPublicKey> authorities;
  forEachLine(text, [&](std::string_view line) {
    auto key = agent::parseSshPublicKey(line);
    if (!key) throw Error(ErrorCode::InvalidArgument, format("the key of a CA {}", key.error()));
    if (!isSshAuthorityType(key->type)) throw Error(ErrorCode::InvalidArgument, "the key of a CA must be Ed25519, ECDSA or RSA");
    authorities.push_back(std::move(*key));
  });
  if (authorities.empty()) throw Error(ErrorCode::InvalidArgument, "it contains no key");
  return authorities;
}

std::vector<agent::SshPublicKey> readTrustedAuthorities(const std::filesystem::path& file) {
  if (file.empty()) return {};
  return readKeyFile("trustedUserCAKeys", file, parseTrustedAuthorities);
}

}  // namespace swarm
