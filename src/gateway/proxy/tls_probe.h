// Detects a program that expects TLS, for a hint on the error page.
#pragma once

#include <memory>

#include "async/awaitable.h"
#include "gateway/proxy/upstream.h"

namespace swarm::gateway {

/// Whether `port` responds to a TLS handshake, on another connection within two seconds. Does not throw.
async::awaitable<bool> speaksTls(UpstreamConnector& connector, std::shared_ptr<const InstanceRoute> route, std::uint16_t port);

}  // namespace swarm::gateway
