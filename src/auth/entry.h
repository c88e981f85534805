// Who acts, for the audit log; and entries of administrators into workspaces of other users, which are also in the server's log.
#pragma once

#include <string_view>

#include "auth/auth.h"
#include "auth/permissions.h"
#include "model/types/audit/audit_record.h"
#include "model/types/ids.h"

namespace swarm {

/// Whether an entry into the instance, which belongs to `owner`, is recorded, and is announced to a browser's user first.
bool isRecordedEntry(const Principal& principal, std::string_view owner, const InstanceId& instance);
/// Logs the entry, which is about to begin. `way`: the operation of the API, "vscode", or "port 8080".
void logEntry(const Principal& principal, std::string_view owner, const InstanceId& instance, std::string_view way);

/// A record of the audit log by this user from there.
AuditRecord recordBy(const Principal& principal, const LoginOrigin& origin);
/// The same of a user who has proven who they are, but is not signed in yet.
AuditRecord recordByUser(const UserRecord& user, const LoginOrigin& origin);

}  // namespace swarm
