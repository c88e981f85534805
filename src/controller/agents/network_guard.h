// NetworkGuard: no program of a user runs before the rules of its instance's network stand (docs/adr/0018-egress.md).
#pragma once

#include "controller/state/context.h"

namespace swarm::control {

/// The limits of what the instance reaches, where there are any; else null.
EgressControl* egressControlOf(const Context& context, const Entry& entry);

/// For one wait, in which the instance may begin several runs.
class NetworkGuard {
 public:
  NetworkGuard(const Context& context, EntryPtr entry)
      : context_(context), entry_(std::move(entry)), control_(egressControlOf(context_, *entry_)) {}

  /// Sets the rules, unless they stand already. During an update in place, which sets them, it does nothing.
  awaitable<void> set(Deadline deadline);
  bool stands() const { return control_ == nullptr || stands_; }
  /// To be called with every response of the agent. Another process of it may belong to another run, for which the rules are set again.
  /// False: there were no rules, and the agent was not held.
  awaitable<bool> admits(agent::AgentHealth health, Deadline deadline);
  /// The agent was not held, or rules cannot be set here: ends the instance, and gives the reason.
  awaitable<std::string> stop(std::string why, Deadline deadline);

 private:
  const Context& context_;
  EntryPtr entry_;
  EgressControl* control_;
  bool stands_ = false;
  bool had_none_ = false;  ///< before they were set, and the agent has not responded since
  std::string boot_;       ///< of the agent that responded last
};

}  // namespace swarm::control
