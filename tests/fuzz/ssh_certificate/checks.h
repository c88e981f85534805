// What the fuzz target checks of one input; a unit test replays the corpus through it. A broken invariant ends the process.
#pragma once

#include <string>
#include <string_view>

#include "base/diagnostics/check.h"
#include "base/id.h"
#include "protocol/ssh_certificate.h"
#include "protocol/ssh_wire.h"

namespace swarm {

/// The input as a certificate, and what is in it, again as a certificate.
inline void fuzzSshCertificate(std::string_view input) {
  const auto certificate = parseSshCertificate(input);
  if (!certificate) {
    SWARM_CHECK(certificate.error().starts_with("is "));
    return;
  }
  // Every byte is signed or part of the signature.
  SWARM_CHECK(certificate->signedBytes + ssh::wireText(certificate->signature) == input);
  SWARM_CHECK(certificate->fingerprint == agent::sshFingerprint(input));
  SWARM_CHECK(certificate->signedBytes.ends_with(ssh::wireText(certificate->authorityKey)));
  SWARM_CHECK(certificate->authority.fingerprint == agent::sshFingerprint(certificate->authorityKey));
  for (const agent::SshPublicKey* key : {&certificate->key, &certificate->authority}) {
    const auto again = agent::parseSshPublicKey(key->line);
    SWARM_CHECK(again && again->line == key->line && again->fingerprint == key->fingerprint);
  }
  for (const auto* options : {&certificate->criticalOptions, &certificate->extensions})
    for (std::size_t i = 1; i < options->size(); ++i) SWARM_CHECK((*options)[i - 1].name < (*options)[i].name);
  if (const auto is_signed = checkSshSignature(*certificate); !is_signed) {
    SWARM_CHECK(is_signed.error().starts_with("is ") || is_signed.error().starts_with("was "));
    return;
  }
  SshCertificate changed = *certificate;
  changed.signedBytes += '\0';
  SWARM_CHECK(!checkSshSignature(changed));
}

}  // namespace swarm
