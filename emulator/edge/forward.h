// One exchange with a Machine: the request goes out, the response comes back, both as they arrive; or the connection becomes a byte pump.
#pragma once

#include <string>

#include "net/http/http_server.h"

namespace swarm::emulator {

using boost::asio::awaitable;

/// The fields that the edge adds to a request (Fly: docs networking/request-headers).
struct EdgeFacts {
  std::string requestId;
  std::string clientAddress;
  std::string region;
  std::uint16_t externalPort = 0;
  bool tls = false;
};

/// The head that goes to the Machine: hop-by-hop fields are left out, framing is written again.
std::string machineRequestHead(const net::RequestHead& head, const EdgeFacts& facts);

/// False: nothing has been sent to the client, because the Machine sent no valid response; the caller must respond.
/// How long that takes is not limited: Fly's limit is unknown.
awaitable<bool> forwardExchange(net::Exchange& exchange, net::StreamPtr machine, EdgeFacts facts);

}  // namespace swarm::emulator
