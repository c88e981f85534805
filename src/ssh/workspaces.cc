#include "ssh/workspaces.h"

#include "agent/client/ssh_client.h"
#include "audit/audit.h"
#include "auth/accounts/ssh_keys.h"
#include "auth/certificates/ssh_certificates.h"
#include "auth/entry.h"
#include "base/error.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "ssh/control/control.h"

namespace swarm::ssh {
namespace {

constexpr std::chrono::seconds kAgentPatience{15};
constexpr std::size_t kMaxKeyBytes = 32 * 1024;  // of a header section, which has 64 KiB
constexpr std::size_t kMaxShownName = 64;

/// What the sshd of a connection admits. After a sign-in with a certificate: its key, and certificates of its CA for the user, because some
/// clients offer nothing but their certificate. Else the keys of the user that fit into one request, first the one that was used.
agent::SshAdmission admissionFor(const SshKeys& keys, const Principal& principal) {
  if (const auto& certificate = principal.certificate)
    return {.keys = {certificate->key.line}, .authority = certificate->authority.line, .user = principal.user};
  std::vector<std::string> fitting;
  std::size_t bytes = 0;
  for (std::string& key : keys.publicKeysOf(principal)) {
    bytes += key.size();
    if (bytes > kMaxKeyBytes) break;
    fitting.push_back(std::move(key));
  }
  return {.keys = std::move(fitting)};
}

std::function<bool()> watchOf(RouteSource& routes, Auth& auth, const Principal& principal, const InstanceRoute& route) {
  return [&routes, &auth, principal, name = route.name, id = route.instanceId, seen_epoch = std::optional<std::uint64_t>(),
          seen_table = std::shared_ptr<const RouteTable>()]() mutable {
    const std::uint64_t epoch = auth.revocationEpoch();
    auto table = routes.current();
    if (seen_epoch == epoch && seen_table == table) return true;
    seen_epoch = epoch;
    seen_table = std::move(table);
    const auto now = currentPrincipal(auth, principal);
    if (!now) return false;
    const auto found = seen_table->find(name);
    // The deletion of a workspace ends what runs inside.
    if (found == seen_table->end() || found->second->instanceId != id) return true;
    return isAllowed(*now, Permission::Inside, found->second->owner, id);
  };
}

std::string wayOf(std::uint16_t port) { return port == kSshPort ? "openSsh" : "openPort"; }

}  // namespace

std::optional<Principal> currentPrincipal(Auth& auth, const Principal& principal) {
  return principal.certificate ? auth.sshCertificates().find(principal) : auth.sshKeys().find(principal);
}

std::expected<Principal, Error> Workspaces::mayEnter(const Principal& principal, const InstanceRoute* route,
                                                     const std::string& name) const {
  const auto current = currentPrincipal(parts_.auth, principal);
  if (!current)
    return std::unexpected(
        Error(ErrorCode::Unauthenticated, format("The SSH {} is no longer valid.", principal.certificate ? "certificate" : "key")));
  if (!route || !canSee(*current, route->owner, route->instanceId)) return std::unexpected(noSuchWorkspace(printable(name, kMaxShownName)));
  if (!isAllowed(*current, Permission::Inside, route->owner, route->instanceId))
    return std::unexpected(Error(ErrorCode::PermissionDenied, format("You may see the workspace {}, but not enter it.", route->name)));
  return *current;
}

net::awaitable<void> Workspaces::record(const Principal& principal, const LoginOrigin& origin, const InstanceRoute* route,
                                        const std::string& name, std::uint16_t port, std::optional<Error> refusal) const {
  if (parts_.audit == nullptr) co_return;
  AuditRecord record = recordBy(principal, origin);
  record.action = wayOf(port);
  record.kind = "instance";
  record.object = route ? route->name : printable(name, kMaxShownName);
  if (route) {
    record.objectId = route->instanceId.str();
    record.owner = route->owner;
  }
  if (port != kSshPort) record.after["port"] = std::to_string(port);
  if (!refusal) {
    co_await parts_.audit->enter(std::move(record));
    co_return;
  }
  record.status = httpStatus(refusal->code());
  record.detail = refusal->message();
  co_await parts_.audit->refuse(std::move(record));
}

net::awaitable<OpenStream> Workspaces::open(Principal principal, LoginOrigin origin, std::string name, std::uint16_t port) {
  const auto table = parts_.routes.current();
  const auto found = table->find(name);
  const InstanceRoute* route = found == table->end() ? nullptr : found->second.get();
  const auto entering = mayEnter(principal, route, name);
  if (!entering) {
    co_await record(principal, origin, route, name, port, entering.error());
    throw entering.error();
  }
  OpenBudget::Share share = parts_.budget->take(entering->user, route->instanceId);
  std::function<bool()> may_go_on = watchOf(parts_.routes, parts_.auth, *entering, *route);
  agent::AgentTarget target = co_await parts_.findAgent(route->instanceId.str());
  co_await record(*entering, origin, route, name, port, std::nullopt);
  if (isRecordedEntry(*entering, route->owner, route->instanceId))
    logEntry(*entering, route->owner, route->instanceId, port == kSshPort ? "ssh" : format("port {}", port));
  const Deadline deadline = Deadline::after(kAgentPatience);
  net::StreamPtr stream;
  if (port == kSshPort)
    stream = (co_await agent::openSshTunnel(std::move(target), admissionFor(parts_.auth.sshKeys(), *entering), deadline)).stream;
  else
    stream = co_await agent::openPortTunnel(std::move(target), port, deadline);
  co_return OpenStream{std::move(stream), std::move(share), std::move(may_go_on)};
}

}  // namespace swarm::ssh
