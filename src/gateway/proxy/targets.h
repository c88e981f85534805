// Targets: the hosts in use, synchronized with the route table and with sign-outs; verifies cookies and remembers the valid ones.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>

#include "async/notifier.h"
#include "auth/auth.h"
#include "auth/browser/cookies.h"
#include "controller/state/routes.h"
#include "gateway/host.h"
#include "gateway/proxy/upstream.h"
#include "net/http/http.h"

namespace swarm::gateway {

/// One per gateway, on its loop. Notifications of the route source and auth arrive from other threads through a mailbox, which may outlive
/// it.
class Targets : public std::enable_shared_from_this<Targets> {
 public:
  Targets(async::Executor loop, RouteSource& routes, Auth& auth, const Clock& clock, const CookieNames& names, LiveList& live);
  ~Targets();
  /// Subscribes to changes. Call once, after construction.
  void subscribe();

  /// Applies the changes since the last call: two atomic loads if there are none. Cuts the affected exchanges.
  void follow();
  /// The target of an instance host in the current table; null: the instance does not exist.
  std::shared_ptr<Target> find(const HostName& host);
  /// The request's valid cookie for `target`, if it has exactly one of its name. Adds the target to the table.
  std::shared_ptr<VerifiedCookie> authenticate(const net::RequestHead& head, const std::shared_ptr<Target>& target);
  /// The same with the cookie for all ports of the instance, which a sign-in to VS Code sets.
  std::shared_ptr<VerifiedCookie> authenticateByPorts(const net::RequestHead& head, const std::shared_ptr<Target>& target);
  /// At a public port, what stands for the cookie of a visitor without one; otherwise null. Adds the target to the table.
  std::shared_ptr<VerifiedCookie> visitorOf(const std::shared_ptr<Target>& target);
  /// Whether the user may open VS Code (`port` 0), or the port.
  bool mayOpen(const Principal& principal, const InstanceRoute& route, std::uint16_t port) const;
  /// Whether the request has a cookie of a user who may open the instance, but not this port.
  bool isClosedTo(const net::RequestHead& head, const Target& target) const;
  /// Closes connections idle since before `idle_since`, cuts exchanges whose session has expired, and removes unused hosts. True: hosts are
  /// left.
  bool sweep(SteadyTime now, SteadyTime idle_since);
  const RouteTable& routes() const { return *table_; }
  /// Notified after a change of the table was applied.
  async::Notifier& routesChanged() { return routes_changed_; }
  std::size_t idleConnections() const { return idle_count_->load(std::memory_order_relaxed); }  ///< on any thread

  const CookieNames& names() const { return names_; }

  static std::string audienceOf(const InstanceRoute& route, std::uint16_t port);
  static std::string portsAudienceOf(const InstanceRoute& route);

 private:
  struct Mailbox;
  void followRoutes();
  void followRevocations();
  void moveTo(Target& target, std::shared_ptr<const InstanceRoute> route);
  void followPortRules(Target& target);
  void remember(const std::shared_ptr<Target>& target);
  std::shared_ptr<VerifiedCookie> authenticateAs(const net::RequestHead& head, const std::shared_ptr<Target>& target,
                                                 std::string_view cookie_name, std::string_view audience);
  std::shared_ptr<VerifiedCookie> verify(Target& target, std::string_view value, std::string_view audience);

  async::Executor loop_;
  RouteSource& route_source_;
  Auth& auth_;
  const Clock& clock_;
  const CookieNames& names_;
  LiveList& live_;
  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<const RouteTable> table_;
  std::shared_ptr<std::atomic<std::size_t>> idle_count_ = std::make_shared<std::atomic<std::size_t>>(0);
  async::Notifier routes_changed_;
  std::uint64_t seen_table_ = 0;
  std::uint64_t seen_revocation_ = 0;
  std::unordered_map<std::string, std::shared_ptr<Target>, StringHash, std::equal_to<>> targets_;
};

}  // namespace swarm::gateway
