// Internal: a WebSocket after its handshake.
#pragma once

#include "net/websocket.h"

namespace swarm::net {

enum class WebSocketRole { Client, Server };

struct WebSocketTimes {
  std::chrono::milliseconds silence{30'000};  ///< without a byte from the peer, while somebody reads: a ping is sent
  std::chrono::milliseconds grace{30'000};    ///< then, without an answer: the connection ends
  std::chrono::milliseconds close{2'000};     ///< for the closing handshake
};

std::unique_ptr<WebSocket> makeWebSocket(StreamPtr stream, WebSocketRole role, WebSocketTimes times = {});

}  // namespace swarm::net
