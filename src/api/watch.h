// Runs a stream for as long as somebody is there to read it and may do so.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/http/call.h"

namespace swarm::api {

enum class WatchPeer { Yes, No };  ///< No: the connection was taken over, and whoever pumps it notices its end

/// Runs `work` until it has ended, the session has expired or was revoked, or the peer has closed; then cancels `work` and awaits its end.
/// False when it was cut short. Exceptions of `work` pass.
awaitable<bool> runWhileWanted(Services& services, Call& call, WatchPeer peer, awaitable<void> work);

}  // namespace swarm::api
