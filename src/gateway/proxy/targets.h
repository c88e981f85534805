// Targets: the hosts that are in use, kept in step with the route table and with sign-outs; verifies cookies and remembers which were good.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "async/notifier.h"
#include "auth/auth.h"
#include "auth/session/cookies.h"
#include "controller/state/routes.h"
#include "gateway/host.h"
#include "gateway/proxy/upstream.h"
#include "net/http/http.h"

namespace swarm::gateway {

/// One per gateway, on its loop. What route source and auth call from other threads reaches it through a mailbox that it may outlive.
class Targets : public std::enable_shared_from_this<Targets> {
 public:
  Targets(net::Executor loop, RouteSource& routes, Auth& auth, const Clock& clock, const CookieNames& names, LiveList& live);
  ~Targets();
  /// Begins to listen for changes. Once, after construction.
  void subscribe();

  /// Applies what has changed since the last call: two atomic loads when nothing has. Cuts the exchanges that a change concerns.
  void follow();
  /// The target of an instance host under the current table; null: there is no such instance.
  std::shared_ptr<Target> find(const HostName& host);
  /// The request's good cookie for `target`, if it has one and no other of its name. A target that was not in the table enters it.
  std::shared_ptr<VerifiedCookie> authenticate(const net::RequestHead& head, const std::shared_ptr<Target>& target);
  /// The same by the cookie that VS Code's sign-in gives for all ports of the instance.
  std::shared_ptr<VerifiedCookie> authenticateByPorts(const net::RequestHead& head, const std::shared_ptr<Target>& target);
  /// Closes connections idle since before `idle_since`, cuts exchanges whose session has expired, and forgets hosts nobody uses. True:
  /// there is still something to look after.
  bool sweep(SteadyTime now, SteadyTime idle_since);
  const RouteTable& routes() const { return *table_; }
  /// Wakes when a change of the table was applied.
  net::Notifier& routesChanged() { return routes_changed_; }
  std::size_t idleConnections() const { return idle_count_->load(std::memory_order_relaxed); }  ///< on any thread

  const CookieNames& names() const { return names_; }

  static std::string audienceOf(const Route& route, std::uint16_t port);
  static std::string portsAudienceOf(const Route& route);

 private:
  struct Mailbox;
  void followRoutes();
  void followRevocations();
  void moveTo(Target& target, std::shared_ptr<const Route> route);
  std::shared_ptr<VerifiedCookie> authenticateAs(const net::RequestHead& head, const std::shared_ptr<Target>& target,
                                                 std::string_view cookie_name, std::string audience);
  std::shared_ptr<VerifiedCookie> verify(Target& target, std::string_view value, std::string audience);

  net::Executor loop_;
  RouteSource& route_source_;
  Auth& auth_;
  const Clock& clock_;
  const CookieNames& names_;
  LiveList& live_;
  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<const RouteTable> table_;
  std::shared_ptr<std::atomic<std::size_t>> idle_count_ = std::make_shared<std::atomic<std::size_t>>(0);
  net::Notifier routes_changed_;
  std::uint64_t seen_table_ = 0;
  std::uint64_t seen_revocation_ = 0;
  std::unordered_map<std::string, std::shared_ptr<Target>, StringHash, std::equal_to<>> targets_;
};

}  // namespace swarm::gateway
