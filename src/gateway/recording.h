// What the audit log has of the gateway's requests.
#pragma once

#include "auth/entry.h"
#include "controller/state/routes.h"
#include "gateway/host.h"

namespace swarm::gateway {

/// `route`: of the instance; null: it does not exist.
AuditRecord recordAbout(const InstanceRoute* route, const Principal& principal, const LoginOrigin& origin, std::string_view action);
/// Of an entry at `host`.
AuditRecord recordOfEntry(const InstanceRoute* route, const HostName& host, const Principal& principal, const LoginOrigin& origin);

}  // namespace swarm::gateway
