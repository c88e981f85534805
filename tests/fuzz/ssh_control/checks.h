// What the fuzz target checks of one input; a unit test replays the corpus through it. A broken invariant ends the process.
#pragma once

#include <string_view>

#include "base/diagnostics/check.h"
#include "ssh/control/control.h"

namespace swarm::ssh {

/// The input as a message of a process that a client has taken over.
inline void fuzzSshControl(std::string_view input) {
  const auto message = decode(input);
  if (!message) return;
  SWARM_CHECK(message->kind <= Message::kLastKind);
  SWARM_CHECK(message->first.size() + message->second.size() < input.size());
  SWARM_CHECK(encode(*message) == input);
}

}  // namespace swarm::ssh
