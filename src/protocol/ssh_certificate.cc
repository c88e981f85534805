#include "protocol/ssh_certificate.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text/format.h"
#include "protocol/ssh_wire.h"

namespace swarm {
namespace {

struct CertificateType {
  std::string_view name;
  std::string_view keyType;
  int keyFields;  ///< after the type
};
constexpr std::array<CertificateType, 7> kCertificateTypes{{
    {"ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", 1},
    {"ecdsa-sha2-nistp256-cert-v01@openssh.com", "ecdsa-sha2-nistp256", 2},
    {"ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp384", 2},
    {"ecdsa-sha2-nistp521-cert-v01@openssh.com", "ecdsa-sha2-nistp521", 2},
    {"ssh-rsa-cert-v01@openssh.com", "ssh-rsa", 2},
    {"sk-ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com", 2},
    {"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", 3},
}};

SystemTime timeOf(std::uint64_t seconds) {
  constexpr auto most = std::chrono::floor<std::chrono::seconds>(SystemTime::max().time_since_epoch()).count();
  return seconds >= static_cast<std::uint64_t>(most) ? SystemTime::max()
                                                     : SystemTime(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

std::optional<std::vector<std::string>> readPrincipals(std::string_view bytes) {
  std::vector<std::string> names;
  ssh::WireReader fields(bytes);
  while (!fields.isAtEnd() && !fields.hasFailed()) names.emplace_back(fields.text());
  return fields.isAtEnd() ? std::optional(std::move(names)) : std::nullopt;
}

/// In ascending order of their names, each once, as the format demands.
std::optional<std::vector<SshCertificate::Option>> readOptions(std::string_view bytes) {
  std::vector<SshCertificate::Option> options;
  ssh::WireReader fields(bytes);
  while (!fields.isAtEnd() && !fields.hasFailed()) {
    std::string name(fields.text()), data(fields.text());
    if (!options.empty() && options.back().name >= name) return std::nullopt;
    options.push_back({std::move(name), std::move(data)});
  }
  return fields.isAtEnd() ? std::optional(std::move(options)) : std::nullopt;
}

}  // namespace

std::expected<SshCertificate, std::string> parseSshCertificate(std::string_view bytes) {
  ssh::WireReader fields(bytes);
  const auto type = std::ranges::find(kCertificateTypes, fields.text(), &CertificateType::name);
  if (type == kCertificateTypes.end()) return std::unexpected("is not a certificate of a type that is accepted");
  fields.text();  // the nonce
  const std::string_view begin = fields.rest();
  for (int i = 0; i < type->keyFields; ++i) fields.text();
  const std::string_view key_fields = begin.substr(0, begin.size() - fields.rest().size());

  SshCertificate made;
  made.serial = fields.number(8);
  made.type = static_cast<std::uint32_t>(fields.number(4));
  made.keyId = fields.text();
  auto principals = readPrincipals(fields.text());
  made.validAfter = timeOf(fields.number(8));
  made.validBefore = timeOf(fields.number(8));
  auto critical = readOptions(fields.text()), extensions = readOptions(fields.text());
  fields.text();  // reserved
  made.authorityKey = fields.text();
  made.signedBytes = bytes.substr(0, bytes.size() - fields.rest().size());
  made.signature = fields.text();
  if (!fields.isAtEnd() || !principals || !critical || !extensions) return std::unexpected("is malformed");

  auto key = agent::parseSshKeyBytes(ssh::wireText(type->keyType) + std::string(key_fields));
  if (!key) return std::unexpected(format("is not for a key that is accepted: it {}", key.error()));
  auto authority = agent::parseSshKeyBytes(made.authorityKey);
  if (!authority) return std::unexpected(format("is not signed by a CA that is accepted: its key {}", authority.error()));
  made.fingerprint = agent::sshFingerprint(bytes);
  made.key = std::move(*key);
  made.principals = std::move(*principals);
  made.criticalOptions = std::move(*critical);
  made.extensions = std::move(*extensions);
  made.authority = std::move(*authority);
  return made;
}

}  // namespace swarm
