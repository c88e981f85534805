// NetworkGuard: no program of a user runs before the rules of its instance's network stand (docs/adr/0018-egress.md).
#pragma once

#include "controller/state/context.h"

namespace swarm::control {

/// The limits of what the instance reaches, where there are any; else null.
EgressControl* egressControlOf(const Context& context, const Entry& entry);

/// For one wait for one run of an instance.
class NetworkGuard {
 public:
  NetworkGuard(const Context& context, EntryPtr entry)
      : context_(context), entry_(std::move(entry)), control_(egressControlOf(context_, *entry_)) {}

  /// Sets the rules, unless they stand already. During an update in place, which sets them, it does nothing.
  awaitable<void> set(Deadline deadline);
  bool stands() const { return control_ == nullptr || rules_.has_value(); }
  /// Where there were no rules before, the agent must be held at its first response.
  bool accepts(const agent::AgentHealth& health) {
    return std::exchange(rules_, rules_ ? std::optional(EgressRules::Stood) : std::nullopt) != EgressRules::New || !health.held.empty();
  }
  /// The agent was not held, or rules cannot be set here: ends the instance, and gives the reason.
  awaitable<std::string> stop(std::string why, Deadline deadline);

 private:
  const Context& context_;
  EntryPtr entry_;
  EgressControl* control_;
  std::optional<EgressRules> rules_;
};

}  // namespace swarm::control
