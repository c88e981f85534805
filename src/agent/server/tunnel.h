// Tunnels: after 101 the connection is a byte pump to VS Code's socket, to a port on loopback, or to an sshd of its own.
#pragma once

#include <filesystem>

#include "agent/monitor/activity.h"
#include "agent/server/service.h"
#include "agent/ssh/ssh_server.h"
#include "agent/workspace/hold.h"
#include "async/awaitable.h"
#include "net/http/http_server.h"

namespace swarm::agent {

/// 503 with `service`'s reason while VS Code is not ready. All end when the instance becomes held.
async::awaitable<void> handleVscodeTunnel(const Service& service, const std::filesystem::path& socket, Activity& activity, Hold& hold,
                                          net::Exchange& exchange);
/// `digits`: the path after the prefix; 400 when it is not a port, 502 when no program is listening there.
async::awaitable<void> handlePortTunnel(std::string digits, Activity& activity, Hold& hold, net::Exchange& exchange);
/// 400 without a public key, 422 when the image lacks sshd.
async::awaitable<void> handleSshTunnel(SshServer& server, Activity& activity, Hold& hold, net::Exchange& exchange);

}  // namespace swarm::agent
