// What the audit log has of the API's calls: the one place for changes, entries and refusals of all routes (docs/audit.md).
#pragma once

#include "api/http/call.h"

namespace swarm::api {

/// The route's handler. A change is recorded before it with its intent, and after it with its result.
awaitable<Reply> handleRecorded(Services& services, Call& call);
/// An entry into `instance`, for a route whose calls are entries. Throws when it cannot be recorded: the caller must not enter.
awaitable<void> recordEntry(Services& services, Call& call, const Instance& instance);
/// That an access token is used, once in some minutes from one address.
awaitable<void> recordTokenUse(Services& services, const Call& call);
/// A refusal outside of a recorded change: by role or owner, of an entry, or of a token. `route`: null for an unknown path.
awaitable<void> recordRefusal(Services& services, Call& call, const Endpoint* route, const Error& error);

}  // namespace swarm::api
