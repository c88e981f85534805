// From an HTTP request to an answer: route, credentials, strictness, limits, faults, look-up, handler, journal; in this order.
#pragma once

#include "emulator/rules/core.h"
#include "net/http_server.h"

namespace swarm::emulator {

awaitable<void> dispatch(Core& core, net::Exchange& exchange);

}  // namespace swarm::emulator
