// AgentServer: routes each request from the token check to its handler.
#pragma once

#include <filesystem>
#include <optional>

#include "agent/exec/exec_process.h"
#include "agent/files/archives.h"
#include "agent/files/transfers.h"
#include "agent/monitor/activity.h"
#include "agent/monitor/usage.h"
#include "agent/server/service.h"
#include "agent/server/sessions.h"
#include "agent/ssh/ssh_server.h"
#include "agent/workspace/freeze.h"
#include "agent/workspace/hold.h"
#include "agent/workspace/setup.h"
#include "async/awaitable.h"
#include "net/http/http_server.h"
#include "protocol/instance_token.h"

namespace swarm::agent {

/// The parts that the server exposes. All must outlive it.
struct AgentParts {
  std::string instanceId;
  VerifyingKey key;
  const Clock& clock;
  const Service& vscode;
  std::filesystem::path vscodeSocket;
  Activity& activity;
  UsageMeter& usage;
  ExecContext& exec;
  Hold& hold;
  Freeze& freeze;
  Transfers& transfers;
  Archives& archives;
  const Setup& setup;
  SshServer& ssh;
  std::string warning{};  ///< what users should know although VS Code runs, as a sentence
};

/// On one loop. A request without a valid token for its path's scope gets 401 with an empty body, regardless of other errors, and whether
/// or not the path exists.
class AgentServer {
 public:
  explicit AgentServer(AgentParts parts);
  net::HttpHandler handler();  ///< for any number of net::HttpServer; the AgentServer must outlive them

 private:
  struct Route;
  static const Route* findRoute(std::string_view path);
  async::awaitable<void> handle(net::Exchange& exchange);
  /// The token's claims, if it is valid for the scope.
  std::optional<TokenClaims> claimsOf(const net::RequestHead& head, std::optional<TokenScope> scope) const;
  // The handlers of the routes. An Error that one throws before its response becomes the response.
  async::awaitable<void> handleEndSession(net::Exchange& exchange);
  async::awaitable<void> handleHealth(net::Exchange& exchange);
  async::awaitable<void> handleUsage(net::Exchange& exchange);
  async::awaitable<void> handleActivity(net::Exchange& exchange);
  async::awaitable<void> handleFreeze(net::Exchange& exchange);
  async::awaitable<void> handleThaw(net::Exchange& exchange);
  async::awaitable<void> handleHold(net::Exchange& exchange);
  async::awaitable<void> handleRelease(net::Exchange& exchange);
  async::awaitable<void> handleExec(net::Exchange& exchange);
  async::awaitable<void> handleSsh(net::Exchange& exchange);
  async::awaitable<void> respondHeld(net::Exchange& exchange);
  /// The body of /hold and /freeze.
  struct TransferRequest {
    std::string transfer;
    std::string reason;
  };
  async::awaitable<TransferRequest> readTransferRequest(net::Exchange& exchange);
  bool isReady() const { return parts_.vscode.ready() && !parts_.hold.closed(); }

  AgentParts parts_;
  Sessions sessions_;
  SteadyTime started_;
  std::string boot_;  ///< distinguishes this process of the agent from earlier and later ones
};

}  // namespace swarm::agent
