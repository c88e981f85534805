// Trouble between the server and the agents of its instances, for the chaos server: connections that are cut, stall and crawl, and requests
// that come twice or late.
#pragma once

#include <memory>
#include <string>

#include "controller/moves/move_agents.h"
#include "provider/provider.h"

namespace swarm::test {

/// `kind`: "cuts" (connections end after a random number of bytes), "stalls" (and stall for a while), "crawl" (little at once, late,
/// and sometimes much later, as with packets lost). `seed` makes it the same again.
ProviderPtr withTrouble(ProviderPtr provider, const std::string& kind, unsigned seed);

/// Every /hold and /release is sent twice at the same time, every session is opened twice, and the first opens come again when the session
/// that came of them is in use already.
std::shared_ptr<MoveAgents> repeatingMoveAgents();

}  // namespace swarm::test
