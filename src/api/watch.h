// Runs a stream while its client is connected and signed in.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/http/call.h"

namespace swarm::api {

enum class WatchPeer { Yes, No };  ///< No: the connection was taken over, and the pump detects its end

/// Runs `work` until it ends, the session expires or is revoked, or the peer closes; then cancels `work` and awaits its end. False when it
/// was cancelled. Exceptions of `work` propagate.
awaitable<bool> runWhileWanted(Services& services, Call& call, WatchPeer peer, awaitable<void> work);

}  // namespace swarm::api
