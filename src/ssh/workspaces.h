// The workspaces behind the SSH listener: who may open which, the records of it, and the streams into them.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/client/client.h"
#include "auth/auth.h"
#include "auth/limits/open_budget.h"
#include "controller/state/routes.h"
#include "net/stream/stream.h"

namespace swarm::ssh {

/// Where an instance's agent is reached; throws Error with the reason when it does not run.
using FindAgent = std::function<net::awaitable<agent::AgentTarget>(std::string instance_id)>;

/// A stream into a workspace, and its share of the budget.
struct OpenStream {
  net::StreamPtr stream;
  OpenBudget::Share share;
  /// False once the user, their key, or their access to the workspace has ended. For one loop.
  std::function<bool()> mayGoOn;
};

/// The user of a connection as they are now; nothing: their credential has ended.
std::optional<Principal> currentPrincipal(Auth& auth, const Principal& principal);

/// Thread-safe.
class Workspaces {
 public:
  struct Parts {
    RouteSource& routes;
    Auth& auth;
    Audit* audit;  ///< null: nothing is recorded
    FindAgent findAgent;
    std::shared_ptr<OpenBudget> budget;
  };
  explicit Workspaces(Parts parts) : parts_(std::move(parts)) {}

  /// Port 22 of the workspace `name` is an sshd that admits the user's registered keys, or the certificate of the sign-in; every other one
  /// is that of a program. The entry, or its refusal, is recorded first. Throws Error; a workspace that the user may not see looks like a
  /// missing one.
  net::awaitable<OpenStream> open(Principal principal, LoginOrigin origin, std::string name, std::uint16_t port);

 private:
  /// The user as they are now, or why they may not enter. `route`: null when there is no such workspace.
  std::expected<Principal, Error> mayEnter(const Principal& principal, const InstanceRoute* route, const std::string& name) const;
  net::awaitable<void> record(const Principal& principal, const LoginOrigin& origin, const InstanceRoute* route, const std::string& name,
                              std::uint16_t port, std::optional<Error> refusal) const;

  Parts parts_;
};

}  // namespace swarm::ssh
