// MoveAgents: what a move asks of the agents at its two ends. The controller's tests put their own in its place.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/client/client.h"
#include "transfer/wire/link.h"

namespace swarm {

using net::awaitable;

class MoveAgents {
 public:
  virtual ~MoveAgents() = default;
  /// When it returns, no process of a person runs there any more, and none can be started until release(). Idempotent. Gives what tells
  /// one life of the agent from the next.
  virtual awaitable<std::string> hold(agent::AgentTarget target, std::string transfer, std::string reason, Deadline deadline) = 0;
  virtual awaitable<void> release(agent::AgentTarget target, Deadline deadline) = 0;
  /// Every process of a person's stands still until thaw(), a minute at most. Idempotent.
  virtual awaitable<void> freeze(agent::AgentTarget target, std::string transfer, Deadline deadline) = 0;
  virtual awaitable<void> thaw(agent::AgentTarget target, Deadline deadline) = 0;
  /// Opens a session at each end that is given and joins them. Streams and link live on the caller's loop.
  virtual awaitable<std::unique_ptr<transfer::Link>> connect(std::optional<agent::AgentTarget> source,
                                                             std::optional<agent::AgentTarget> target, std::string transfer,
                                                             transfer::Scope scope, transfer::LinkOptions options, Deadline deadline) = 0;
};

std::shared_ptr<MoveAgents> makeMoveAgents();

}  // namespace swarm
