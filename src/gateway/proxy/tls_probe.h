// What a program speaks that does not answer in HTTP: for people who get a hint rather than "broke off".
#pragma once

#include <memory>

#include "gateway/proxy/upstream.h"

namespace swarm::gateway {

/// Whether `port` answers a TLS handshake: one more connection, of two seconds at most. Throws nothing.
net::awaitable<bool> speaksTls(UpstreamConnector& connector, std::shared_ptr<const Route> route, std::uint16_t port);

}  // namespace swarm::gateway
