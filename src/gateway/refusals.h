// Answers to requests that no handler gets to see: what is wrong with their heads is told as everything else is.
#pragma once

#include "net/http/http_server.h"

namespace swarm::gateway {

/// A page for browsers that navigate, as far as the head says so, else a problem document; both with a request id. A head that cookies
/// made too large has them cleared: they would keep the person out for as long as they live.
net::RefusalAnswer refusalAnswer(const net::RefusedRequest& refused);

}  // namespace swarm::gateway
