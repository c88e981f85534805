// MoveAgents: what a move requests from the agents at its two ends. The controller's tests replace it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/client/client.h"
#include "async/awaitable.h"
#include "transfer/wire/link.h"

namespace swarm {

using async::awaitable;

class MoveAgents {
 public:
  virtual ~MoveAgents() = default;
  /// After it returns, no process of the user runs there, and none can start until release(). Idempotent. Returns the agent's boot id,
  /// which changes with each start of the agent.
  virtual awaitable<std::string> hold(agent::AgentTarget target, std::string transfer, std::string reason, Deadline deadline) = 0;
  /// Of the agent with this boot id: throws Error(Conflict) when it has been started again, and is held again.
  virtual awaitable<void> release(agent::AgentTarget target, std::string boot, Deadline deadline) = 0;
  /// Stops (SIGSTOP) all processes of the user until thaw(), for at most a minute. Idempotent.
  virtual awaitable<void> freeze(agent::AgentTarget target, std::string transfer, Deadline deadline) = 0;
  virtual awaitable<void> thaw(agent::AgentTarget target, Deadline deadline) = 0;
  /// Opens a session at each given end and links them. Streams and link belong to the caller's loop.
  virtual awaitable<std::unique_ptr<transfer::Link>> connect(std::optional<agent::AgentTarget> source,
                                                             std::optional<agent::AgentTarget> target, std::string transfer,
                                                             transfer::Scope scope, transfer::LinkOptions options, Deadline deadline) = 0;
};

std::shared_ptr<MoveAgents> makeMoveAgents();

}  // namespace swarm
