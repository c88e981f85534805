#include "gateway/recording.h"

namespace swarm::gateway {

AuditRecord recordAbout(const InstanceRoute* route, const Principal& principal, const LoginOrigin& origin, std::string_view action) {
  AuditRecord record = recordBy(principal, origin);
  record.action = action;
  record.kind = "instance";
  if (route == nullptr) return record;
  record.object = route->name;
  record.objectId = route->instanceId.str();
  record.owner = route->owner;
  return record;
}

AuditRecord recordOfEntry(const InstanceRoute* route, const HostName& host, const Principal& principal, const LoginOrigin& origin) {
  AuditRecord record = recordAbout(route, principal, origin, host.port() == 0 ? "openVscode" : "openPort");
  if (route == nullptr) record.object = host.instance();
  if (host.port() != 0) record.after = {{"port", std::to_string(host.port())}};
  return record;
}

}  // namespace swarm::gateway
