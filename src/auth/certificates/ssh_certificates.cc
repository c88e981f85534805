#include "auth/certificates/ssh_certificates.h"

#include <algorithm>

#include "auth/certificates/certificate_checks.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxShownName = 64;

}  // namespace

awaitable<bool> SshCertificates::isAccepted(std::string user, std::string certificate, LoginOrigin origin) {
  auto checked = check(user, certificate, origin.address);
  if (checked) co_return true;
  // Clients offer what they have, also certificates for other servers.
  if (checked.error().certificate) co_await refuse(std::move(user), std::move(origin), std::move(checked.error()));
  co_return false;
}

awaitable<std::optional<Principal>> SshCertificates::signIn(std::string user, std::string certificate, LoginOrigin origin) {
  auto checked = check(user, certificate, origin.address);
  const auto role = checked ? parts_.users.roleOf(user) : std::nullopt;
  if (checked && !role) checked = std::unexpected(Refusal{"names a user who does not exist or is disabled", *checked});
  if (!checked) {
    co_await refuse(std::move(user), std::move(origin), std::move(checked.error()));
    co_return std::nullopt;
  }
  const CertificatePtr& accepted = *checked;
  Principal principal = parts_.users.principalOf({.id = accepted->fingerprint, .user = user, .expiresAt = accepted->validBefore}, *role);
  principal.certificate = accepted;
  co_await parts_.signIns.begin(principal, "SSH certificate", std::move(origin));
  co_return find(principal);  // it may have been revoked in this time
}

std::optional<Principal> SshCertificates::find(const Principal& principal) const {
  const auto role = parts_.users.roleOf(principal.user);
  if (!role || *role != principal.role || parts_.clock.now() >= principal.expiresAt || parts_.revoked.list()->has(*principal.certificate))
    return std::nullopt;
  Principal current =
      parts_.users.principalOf({.id = principal.sessionId, .user = principal.user, .expiresAt = principal.expiresAt}, *role);
  current.certificate = principal.certificate;
  return current;
}

std::expected<SshCertificates::CertificatePtr, SshCertificates::Refusal> SshCertificates::checkAuthority(std::string_view bytes) const {
  auto certificate = parseSshCertificate(bytes);
  if (!certificate) return std::unexpected(Refusal{std::move(certificate.error()), nullptr});
  const std::string& authority = certificate->authority.fingerprint;
  if (std::ranges::find(parts_.authorities, authority, &agent::SshPublicKey::fingerprint) == parts_.authorities.end())
    return std::unexpected(Refusal{format("is signed by a CA that is not trusted ({})", authority), nullptr});
  if (const auto is_signed = checkSshSignature(*certificate); !is_signed)
    return std::unexpected(Refusal{std::string(is_signed.error()), nullptr});
  return std::make_shared<const SshCertificate>(std::move(*certificate));
}

std::expected<SshCertificates::CertificatePtr, SshCertificates::Refusal> SshCertificates::check(std::string_view user,
                                                                                                std::string_view bytes,
                                                                                                std::string_view address) const {
  auto certificate = checkAuthority(bytes);
  if (!certificate) return certificate;
  if (parts_.revoked.isUnknown())
    return std::unexpected(Refusal{"cannot be checked: the server cannot read the list of revoked keys", *certificate});
  if (parts_.revoked.list()->has(**certificate)) return std::unexpected(Refusal{"is revoked", *certificate});
  if (auto allowed = checkCertificate(**certificate, user, address, parts_.clock.now()); !allowed)
    return std::unexpected(Refusal{std::move(allowed.error()), *certificate});
  return certificate;
}

awaitable<void> SshCertificates::refuse(std::string user, LoginOrigin origin, Refusal refusal) {
  log::info("SSH certificate refused",
            {{"user", printable(user, kMaxShownName)}, {"address", origin.address}, {"reason", "it " + refusal.reason}});
  Error error(ErrorCode::Unauthenticated, format("The SSH certificate {}.", refusal.reason));
  co_await parts_.signIns.refuse(std::move(user), std::move(origin), std::move(error), std::move(refusal.certificate));
}

}  // namespace swarm
