// MoveLink: a transfer link on the loop that transfers files, called from the control loop.
#pragma once

#include "async/loop.h"
#include "controller/moves/move_agents.h"

namespace swarm::control {

class MoveLink {
 public:
  struct Ends {
    std::optional<agent::AgentTarget> source;
    std::optional<agent::AgentTarget> target;
  };
  static awaitable<std::shared_ptr<MoveLink>> open(std::shared_ptr<MoveAgents> agents, async::Executor loop, Ends ends,
                                                   std::string transfer, transfer::Scope scope, transfer::LinkOptions options,
                                                   Deadline deadline);
  MoveLink(std::unique_ptr<transfer::Link> link, async::Executor loop);
  ~MoveLink();
  MoveLink(const MoveLink&) = delete;
  MoveLink& operator=(const MoveLink&) = delete;

  /// The link's awaitable of `call`, on the link's loop, where sinks are called, too; resumes on the caller's.
  template <typename Call>
  auto run(Call call) -> std::invoke_result_t<Call&, transfer::Link&> {
    return async::runOn(loop_, call(*link_));
  }

 private:
  std::unique_ptr<transfer::Link> link_;
  async::Executor loop_;
};

}  // namespace swarm::control
