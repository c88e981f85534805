// WebSocket over a Stream, client and server side, for our own endpoints (the gateway passes WebSockets through as bytes).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/http/http_server.h"
#include "net/stream/stream.h"

namespace swarm::net {

struct WebSocketMessage {
  bool text = false;
  std::string data;
};

/// One read and one write may be pending at a time; a read during close() waits for its end. While a read is pending, pings are answered, a
/// ping is sent after 30 s of silence, and the connection ends after 60 s of silence.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  /// The next message (at most 16 MiB); empty once the peer has closed. Throws Error(Unavailable) when the connection is lost or the peer
  /// violates the protocol.
  virtual awaitable<std::optional<WebSocketMessage>> read() = 0;
  /// False: the peer has disconnected.
  virtual awaitable<bool> write(std::string_view data) = 0;  ///< as a binary message
  virtual awaitable<bool> writeText(std::string_view text) = 0;
  virtual awaitable<void> close(std::uint16_t code, std::string_view reason) = 0;
  /// Ends the connection at once, without a Close frame: pending calls fail. For a peer that no longer accepts bytes.
  virtual void cut() = 0;
  /// For an owner that does not read at the moment. Costs a system call.
  virtual PeerState peerState() = 0;
};

/// Completes the handshake of an upgrade request (Exchange::head().upgrade is "websocket"); `headers` are added to the 101. Throws
/// Error(InvalidArgument) for any other request, which the caller must then still answer.
awaitable<std::unique_ptr<WebSocket>> acceptWebSocket(Exchange& exchange, Headers headers = {});
/// Performs the client handshake on a connected stream. On refusal throws Error with the upstream's status and problem detail.
awaitable<std::unique_ptr<WebSocket>> openWebSocket(StreamPtr stream, std::string host, std::string target, Headers headers,
                                                    Deadline deadline);

}  // namespace swarm::net
