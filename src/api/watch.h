// Runs a stream while its client is connected and signed in.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/http/call.h"

namespace swarm::api {

/// Runs `work` until it ends, the session expires or is revoked, or the client, which sends nothing more, closes; then cancels `work` and
/// awaits its end. False when it was cancelled. Exceptions of `work` propagate.
awaitable<bool> runWhileWanted(Services& services, Call& call, awaitable<void> work);

/// The same while `work` reads from `client`. It detects the end of a client that it can read from; while the other side accepts nothing,
/// and after the request's body, a periodic check does.
awaitable<bool> runWhileWanted(Services& services, Call& call, net::Stream& client, awaitable<void> work);

/// The same for a command that runs to its end and whose client gets one response. A client that has ended its direction counts as gone at
/// once, as it does for the agent: otherwise the command would run on without a reader.
awaitable<bool> runCommandWhileWanted(Services& services, Call& call, awaitable<void> work);

}  // namespace swarm::api
