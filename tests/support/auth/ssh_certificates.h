// User certificates of SSH by a CA of the test, with whatever a test wants in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/secret.h"
#include "protocol/ed25519.h"
#include "protocol/ssh.h"
#include "protocol/ssh_wire.h"

namespace swarm::test {

inline std::string wire64(std::uint64_t value) { return ssh::wireNumber(value >> 32) + ssh::wireNumber(value & 0xffff'ffff); }

/// A critical option or an extension; with a value, as OpenSSH encodes it.
inline std::string sshOption(std::string_view name, std::optional<std::string_view> value = {}) {
  return ssh::wireText(name) + ssh::wireText(value ? ssh::wireText(*value) : "");
}

/// The private half of a key, another one for each name.
inline Secret ed25519Seed(std::string_view name) { return Secret(sha256(name)); }
inline std::string ed25519KeyBytes(std::string_view name) {
  return ssh::wireText("ssh-ed25519") + ssh::wireText(ed25519::publicKeyOf(ed25519Seed(name)));
}
inline agent::SshPublicKey sshKeyOf(std::string_view name) { return *agent::parseSshKeyBytes(ed25519KeyBytes(name)); }

struct SshCertificateText {
  std::string type = "ssh-ed25519-cert-v01@openssh.com";
  std::string keyFields = ssh::wireText(ed25519::publicKeyOf(ed25519Seed("laptop")));
  std::uint64_t serial = 7;
  std::uint32_t kind = 1;  ///< of users
  std::string keyId = "ann's laptop";
  std::vector<std::string> principals{"ann"};
  std::uint64_t validAfter = 0;
  std::uint64_t validBefore = UINT64_MAX;
  std::string criticalOptions{};
  std::string extensions = sshOption("permit-port-forwarding");
  std::string reserved{};
  std::string authority = "ca";  ///< the name of its key
  std::string authorityKey = ed25519KeyBytes(authority);

  std::string signedBytes() const {
    std::string names;
    for (const std::string& name : principals) names += ssh::wireText(name);
    return ssh::wireText(type) + ssh::wireText("nonce") + keyFields + wire64(serial) + ssh::wireNumber(kind) + ssh::wireText(keyId) +
           ssh::wireText(names) + wire64(validAfter) + wire64(validBefore) + ssh::wireText(criticalOptions) + ssh::wireText(extensions) +
           ssh::wireText(reserved) + ssh::wireText(authorityKey);
  }
  std::string bytes() const {
    const std::string text = signedBytes();
    return text + ssh::wireText(ssh::wireText("ssh-ed25519") + ssh::wireText(ed25519::sign(ed25519Seed(authority), text)));
  }
};

}  // namespace swarm::test
