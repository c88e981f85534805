// Responses to requests with a malformed head, which no handler receives.
#pragma once

#include "net/http/http_server.h"

namespace swarm::gateway {

/// A page for browsers that navigate, otherwise a problem document; both with a request id. The cookies of a head that they made too large
/// are cleared: they would lock the user out until they expire.
net::RefusalResponse refusalResponse(const net::RefusedRequest& refused);

}  // namespace swarm::gateway
