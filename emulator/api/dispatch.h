// From an HTTP request to a response: route, credentials, strict mode, limits, faults, lookup, handler, journal; in this order.
#pragma once

#include "emulator/rules/core.h"
#include "net/http/http_server.h"

namespace swarm::emulator {

awaitable<void> dispatch(Core& core, net::Exchange& exchange);

}  // namespace swarm::emulator
