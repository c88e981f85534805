// What agents are given, and how they are reached: their settings in an instance's specification, and their targets.
#pragma once

#include "controller/state/context.h"

namespace swarm::control {

agent::AgentTarget targetOf(const Entry& entry, AgentEndpoint endpoint);  ///< at one of its places
inline agent::AgentTarget targetOf(const Entry& entry) { return targetOf(entry, entry.endpoint); }

/// What a provider creates at the entry's current place.
InstanceSpec specOf(const Context& context, const Entry& entry);
/// Adds the settings of a place's agent; `hold`: the transfer for which it starts held, or empty.
void addAgentSettings(const Context& context, InstanceSpec& spec, const Entry& entry, const std::string& hold);

}  // namespace swarm::control
