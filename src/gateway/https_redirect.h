// The plain HTTP port beside a listener with TLS.
#pragma once

#include "async/awaitable.h"
#include "auth/public_address.h"
#include "net/http/http_server.h"

namespace swarm::gateway {

/// Sends a browser that used http:// to the same address with https://, if the host is one of ours. Serves nothing: any other request is
/// refused.
async::awaitable<void> redirectToHttps(net::Exchange& exchange, const PublicAddress& address);

}  // namespace swarm::gateway
