// SshCertificates: user certificates of trusted CAs, with which users sign in to the SSH listener. What a certificate permits is what its
// user's role and shares permit at the moment of use (docs/adr/0020-ssh-certificates.md).
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/certificates/revoked_keys.h"
#include "auth/session/sessions.h"
#include "auth/sign_in/sign_in_records.h"
#include "protocol/ssh_certificate.h"

namespace swarm {

/// Thread-safe. Only functions that return an awaitable do I/O.
class SshCertificates {
 public:
  /// What it shares with Auth.
  struct Parts {
    const Clock& clock;
    const SessionTable& users;
    SignInRecords& signIns;
    const RevokedKeys& revoked;
    std::vector<agent::SshPublicKey> authorities;  ///< trusted CAs; none: no certificate is accepted
  };
  explicit SshCertificates(Parts parts) : parts_(std::move(parts)) {}

  /// Whether a client that gives this name and this certificate may go on to prove that it has the key. Does not depend on whether there is
  /// such a user. The refusal of a certificate of a trusted CA is recorded: its client does not go on.
  awaitable<bool> isAccepted(std::string user, std::string certificate, LoginOrigin origin);
  /// The user, if the certificate, whose key the client has proven to have, is for them. The sign-in or its refusal is recorded; throws
  /// when it cannot be. `Principal::sessionId` is the certificate's fingerprint, and `expiresAt` its end.
  awaitable<std::optional<Principal>> signIn(std::string user, std::string certificate, LoginOrigin origin);
  /// The same for a principal that signIn() returned; nothing, too, when the role has changed.
  std::optional<Principal> find(const Principal& principal) const;

 private:
  using CertificatePtr = std::shared_ptr<const SshCertificate>;
  struct Refusal {
    std::string reason;
    CertificatePtr certificate;  ///< null: not of a trusted CA
  };

  std::expected<CertificatePtr, Refusal> check(std::string_view user, std::string_view bytes, std::string_view address) const;
  std::expected<CertificatePtr, Refusal> checkAuthority(std::string_view bytes) const;
  awaitable<void> refuse(std::string user, LoginOrigin origin, Refusal refusal);

  Parts parts_;
};

}  // namespace swarm
