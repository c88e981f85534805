// MoveLink: a transfer link on the loop that transfers files, called from the control loop.
#pragma once

#include "async/loop.h"
#include "controller/moves/move_agents.h"

namespace swarm::control {

/// The calls of transfer::Link; they resume on the caller's loop, and sinks are called on `control`.
class MoveLink {
 public:
  struct Ends {
    std::optional<agent::AgentTarget> source;
    std::optional<agent::AgentTarget> target;
  };
  static awaitable<std::shared_ptr<MoveLink>> open(std::shared_ptr<MoveAgents> agents, async::Executor loop, async::Executor control,
                                                   Ends ends, std::string transfer, transfer::Scope scope, transfer::LinkOptions options,
                                                   Deadline deadline);
  MoveLink(std::unique_ptr<transfer::Link> link, async::Executor loop, async::Executor control);
  ~MoveLink();
  MoveLink(const MoveLink&) = delete;
  MoveLink& operator=(const MoveLink&) = delete;

  awaitable<transfer::ScanReport> scan(transfer::Side side, transfer::ProgressSink progress);
  awaitable<transfer::RoundReport> round(transfer::RoundKind kind, transfer::ProgressSink progress);
  awaitable<transfer::DigestReport> digest(transfer::Side side, transfer::ProgressSink progress);
  awaitable<std::pair<transfer::DigestReport, transfer::DigestReport>> digests(transfer::ProgressSink progress);
  awaitable<void> sync(transfer::Side side);
  awaitable<std::vector<transfer::Note>> differences(std::size_t most);
  awaitable<void> close();

 private:
  transfer::ProgressSink onControl(transfer::ProgressSink progress) const;

  std::unique_ptr<transfer::Link> link_;
  async::Executor loop_;
  async::Executor control_;
};

}  // namespace swarm::control
