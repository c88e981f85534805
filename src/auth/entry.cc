#include "auth/entry.h"

#include "base/diagnostics/log.h"
#include "base/text/untrusted_text.h"
#include "protocol/ssh_certificate.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxKeyId = 256;

}  // namespace

bool isRecordedEntry(const Principal& principal, std::string_view owner, const InstanceId& instance) {
  return relationOf(principal, owner, instance) > Relation::SharedAsEditor;
}

void logEntry(const Principal& principal, std::string_view owner, const InstanceId& instance, std::string_view way) {
  log::warning("workspace of another user entered",  // a record, which a higher log level must not drop
               {{"user", principal.user}, {"owner", owner}, {"instance", instance.str()}, {"way", way}, {"session", principal.sessionId}});
}

AuditRecord recordBy(const Principal& principal, const LoginOrigin& origin) {
  AuditRecord record{.user = principal.user, .address = origin.address, .client = origin.client};
  if (principal.token)
    record.token = principal.token->id;
  else
    record.session = principal.sessionId;
  if (const auto& certificate = principal.certificate)
    record.after = {{"keyId", printable(certificate->keyId, kMaxKeyId)},
                    {"serial", std::to_string(certificate->serial)},
                    {"caFingerprint", certificate->authority.fingerprint}};
  if (!principal.user.empty()) record.role = nameOf(principal.role);
  return record;
}

AuditRecord recordByUser(const UserRecord& user, const LoginOrigin& origin) {
  return {.user = user.name, .role = std::string(nameOf(user.role)), .address = origin.address, .client = origin.client};
}

}  // namespace swarm
