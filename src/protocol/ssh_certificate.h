// Certificates of OpenSSH (its PROTOCOL.certkeys): a public key, for whom it is, until when, and under which conditions, signed by a CA.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "protocol/ssh.h"

namespace swarm {

struct SshCertificate {
  struct Option {
    std::string name;
    std::string data;  ///< as encoded: a value, if there is one, is a field in it
  };
  static constexpr std::uint32_t kForUsers = 1;

  std::string fingerprint;  ///< of the certificate
  agent::SshPublicKey key;  ///< that is certified
  std::uint64_t serial = 0;
  std::uint32_t type = 0;
  std::string keyId;  ///< any bytes, like the principals and the names of options
  std::vector<std::string> principals;
  SystemTime validAfter{};
  SystemTime validBefore{};
  std::vector<Option> criticalOptions;
  std::vector<Option> extensions;
  agent::SshPublicKey authority;  ///< the key of the CA
  std::string authorityKey;       ///< its bytes
  std::string signedBytes;
  std::string signature;
};

/// Checks the form alone, and that both keys are complete and strong enough. Otherwise what the certificate is, as the end of a sentence:
/// "is …".
std::expected<SshCertificate, std::string> parseSshCertificate(std::string_view bytes);

/// Whether CAs may have a key of this type: Ed25519, ECDSA or RSA.
bool isSshAuthorityType(std::string_view type);
/// Whether the CA that the certificate names has signed it; RSA with SHA-2 only. Otherwise as above.
std::expected<void, std::string_view> checkSshSignature(const SshCertificate& certificate);

}  // namespace swarm
