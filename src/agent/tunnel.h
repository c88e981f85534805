// Tunnels: after 101 the connection is a byte pump to VS Code's socket, or to a port on loopback.
#pragma once

#include <filesystem>

#include "agent/activity.h"
#include "agent/hold.h"
#include "agent/service.h"
#include "net/http_server.h"

namespace swarm::agent {

/// Everything a client sends through it is shown to a PersonDetector.
net::StreamPtr watchForPerson(net::StreamPtr client, Activity& activity, PersonDetector::Traffic traffic);

/// `service` says whether VS Code is ready; 503 with its reason while it is not. Both end when the instance becomes held.
net::awaitable<void> handleVscodeTunnel(const Service& service, const std::filesystem::path& socket, Activity& activity, Hold& hold,
                                        net::Exchange& exchange);
/// `digits` is what follows the prefix; 400 when it is no port, 502 when nothing listens there.
net::awaitable<void> handlePortTunnel(std::string digits, Activity& activity, Hold& hold, net::Exchange& exchange);

}  // namespace swarm::agent
