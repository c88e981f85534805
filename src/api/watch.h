// Runs a stream while its client is connected, signed in, and allowed what it does.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

#include "api/http/call.h"

namespace swarm::api {

/// Returns whether the caller is still signed in, and may do with the instance what the request was allowed for. To be called later, on any
/// thread but one at a time: it refers to Auth, the clock and the controller's routes only.
std::function<bool()> mayGoOn(Services& services, const Call& call);

/// Runs `work` until it ends, or the caller may not go on; then cancels `work` and awaits its end. False when it was cancelled.
awaitable<bool> runWhileAllowed(Services& services, Call& call, awaitable<void> work);

/// Runs `work` until it ends, the caller may not go on, or the client, which sends nothing more, closes; then cancels `work` and
/// awaits its end. False when it was cancelled. Exceptions of `work` propagate.
awaitable<bool> runWhileWanted(Services& services, Call& call, awaitable<void> work);

/// The same while `work` reads from `client`. It detects the end of a client that it can read from; while the other side accepts nothing,
/// and after the request's body, a periodic check does.
awaitable<bool> runWhileWanted(Services& services, Call& call, net::Stream& client, awaitable<void> work);

/// The same for a command that runs to its end and whose client gets one response. A client that has ended its direction counts as gone at
/// once, as it does for the agent: otherwise the command would run on without a reader.
awaitable<bool> runCommandWhileWanted(Services& services, Call& call, awaitable<void> work);

}  // namespace swarm::api
