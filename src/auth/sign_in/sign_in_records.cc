#include "auth/sign_in/sign_in_records.h"

#include "async/attempt.h"
#include "audit/audit.h"
#include "auth/entry.h"

namespace swarm {
namespace {

AuditRecord recordOf(const Principal& principal, const LoginOrigin& origin) {
  AuditRecord record = recordBy(principal, origin);
  record.action = "signIn";
  record.kind = "user";
  record.object = principal.user;
  return record;
}

}  // namespace

awaitable<void> SignInRecords::begin(Principal principal, std::string by, LoginOrigin origin, std::string provider,
                                     std::string by_session) {
  if (audit_ == nullptr) co_return;
  AuditRecord record = recordOf(principal, origin);
  record.after["by"] = by;
  if (!provider.empty()) record.after["provider"] = provider;
  if (!by_session.empty()) record.after["bySession"] = by_session;
  co_await audit_->record(std::move(record));
}

awaitable<void> SignInRecords::refuse(std::string user, LoginOrigin origin, Error error,
                                      std::shared_ptr<const SshCertificate> certificate) {
  if (audit_ == nullptr) co_return;
  Principal stranger;
  stranger.certificate = std::move(certificate);
  AuditRecord record = recordOf(stranger, origin);
  record.status = httpStatus(error.code());
  record.detail = error.message();
  // What else is typed there may be a password.
  const auto known = co_await async::attempt(store_.getUser(user));
  if (known && *known) record.object = std::move(user);
  co_await audit_->refuse(std::move(record));
}

}  // namespace swarm
