// MoveAgents by requests to real agents.
#include "controller/moves/move_agents.h"

#include "transfer/rounds/session.h"

namespace swarm {
namespace {

class RealMoveAgents final : public MoveAgents {
 public:
  awaitable<std::string> hold(agent::AgentTarget target, std::string transfer, std::string reason, Deadline deadline) override {
    agent::AgentHold held = co_await agent::hold(std::move(target), std::move(transfer), std::move(reason), deadline);
    co_return held.boot;
  }
  awaitable<void> release(agent::AgentTarget target, std::string boot, Deadline deadline) override {
    co_await agent::release(std::move(target), deadline, std::move(boot));
  }
  awaitable<void> freeze(agent::AgentTarget target, std::string transfer, Deadline deadline) override {
    co_await agent::freeze(std::move(target), std::move(transfer), deadline);
  }
  awaitable<void> thaw(agent::AgentTarget target, Deadline deadline) override { co_await agent::thaw(std::move(target), deadline); }
  awaitable<std::unique_ptr<transfer::Link>> connect(std::optional<agent::AgentTarget> source, std::optional<agent::AgentTarget> target,
                                                     std::string transfer, transfer::Scope scope, transfer::LinkOptions options,
                                                     Deadline deadline) override {
    net::StreamPtr from, to;
    if (source) from = co_await agent::openTransfer(std::move(*source), transfer::Role::Source, transfer, deadline);
    if (target) to = co_await agent::openTransfer(std::move(*target), transfer::Role::Target, transfer, deadline);
    co_return co_await transfer::openLink(std::move(from), std::move(to), std::move(transfer), std::move(scope), options);
  }
};

}  // namespace

std::shared_ptr<MoveAgents> makeMoveAgents() { return std::make_shared<RealMoveAgents>(); }

}  // namespace swarm
