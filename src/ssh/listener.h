// SshListener: the second way to workspaces with OpenSSH, a jump host that opens nothing but connections to workspaces
// (docs/adr/0017-ssh-listener.md). The inner connection is encrypted between the client and the workspace.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "async/background/background_tasks.h"
#include "async/notifier.h"
#include "auth/auth.h"
#include "auth/limits/token_throttle.h"
#include "base/clock.h"
#include "base/diagnostics/warning_limit.h"
#include "base/secret.h"
#include "net/connect.h"
#include "ssh/admission.h"
#include "ssh/control/control.h"
#include "ssh/workspaces.h"

namespace swarm::ssh {

struct ListenerOptions {
  net::HostPort address;
  std::filesystem::path program;  ///< swarm-ssh
  Secret hostKey;                 ///< in OpenSSH's form
  AdmissionLimits limits{};
  std::chrono::milliseconds identificationTime{10'000};  ///< from the connection to the client's first line
  std::chrono::milliseconds signInTime{30'000};          ///< from that to the turn of the connection, and from its turn to the sign-in
  std::chrono::milliseconds check{250};   ///< how often an open connection checks whether its user may go on, and a waiting one its turn
  std::chrono::milliseconds ping{5'000};  ///< the process of a connection has to answer, twice this long after the question
};

/// On one loop. close() before destruction.
class SshListener {
 public:
  /// Throws Error(Unavailable) when the address is in use.
  SshListener(async::Executor loop, ListenerOptions options, Workspaces& workspaces, Auth& auth, const Clock& clock);
  ~SshListener();

  void start();
  async::awaitable<void> close();
  std::uint16_t port() const { return listener_->port(); }
  std::size_t connections() const { return connections_; }

 private:
  class Connection;
  using ConnectionPtr = std::shared_ptr<Connection>;

  async::awaitable<void> acceptAll();
  void admit(net::StreamPtr client);
  async::awaitable<void> giveTurns();
  async::awaitable<void> serve(ConnectionPtr connection);
  async::awaitable<void> converse(ConnectionPtr connection);
  async::awaitable<void> watch(ConnectionPtr connection);
  async::awaitable<bool> awaitTurn(Connection& connection);
  async::awaitable<bool> handle(const ConnectionPtr& connection, const Message& message);
  async::awaitable<bool> signIn(Connection& connection, const Message& message);
  async::awaitable<bool> decide(Connection& connection, bool accepted);
  async::awaitable<void> carry(ConnectionPtr connection, std::uint32_t number, std::string name, std::uint16_t port);

  async::Executor loop_;
  ListenerOptions options_;
  Workspaces& workspaces_;
  Auth& auth_;
  const Clock& clock_;
  TokenThrottle throttle_;
  std::unique_ptr<net::Listener> listener_;
  async::BackgroundTasks tasks_;
  std::size_t connections_ = 0;
  Admission admission_;
  async::Notifier admission_changed_;
  WarningLimit warnings_;
};

/// The end of a connection with a reason, which a client of SSH displays (RFC 4253, section 11.1). It follows kIdentification.
std::string refusalOfSsh(std::string_view reason);

}  // namespace swarm::ssh
