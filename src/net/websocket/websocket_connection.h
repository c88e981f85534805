// Internal: a WebSocket after its handshake.
#pragma once

#include "net/websocket/websocket.h"

namespace swarm::net {

enum class WebSocketRole { Client, Server };

struct WebSocketTimes {
  std::chrono::milliseconds silence{30'000};  ///< no byte from the peer while a read is pending: a ping is sent
  std::chrono::milliseconds grace{30'000};    ///< after the ping, without a response: the connection ends
  std::chrono::milliseconds close{2'000};     ///< for the closing handshake
};

std::unique_ptr<WebSocket> makeWebSocket(StreamPtr stream, WebSocketRole role, WebSocketTimes times = {});

}  // namespace swarm::net
