// HttpServer: accepts connections and runs one handler per request; the handler responds through Exchange, or takes the connection over.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/connect.h"
#include "net/http/http.h"

namespace swarm::net {

/// One request and the means to respond to it. Lives on the connection's loop.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const RequestHead& head() const = 0;
  virtual BodyReader& body() = 0;
  virtual Stream& stream() = 0;
  /// The connection's read buffer, for a handler that proxies and needs the bytes read ahead.
  virtual ReadBuffer& buffer() = 0;

  /// A whole response; Content-Length, Date and Connection are added. HEAD sends no body. A disconnected peer is not an error here: the
  /// connection ends after the handler. Throws Error(Internal) for a header that would break the message.
  virtual awaitable<void> respond(int status, Headers headers, std::string body) = 0;
  /// Starts a streamed (chunked) response; then write() pieces, then finish(). write() waits for the peer: back pressure. It returns false
  /// once the peer has disconnected.
  virtual awaitable<void> begin(int status, Headers headers) = 0;
  virtual awaitable<bool> write(std::string_view piece) = 0;
  virtual awaitable<void> finish() = 0;
  virtual bool responded() const = 0;

  /// For a handler that wrote the response to stream() directly: reports that it did, and whether the connection may serve another request.
  enum class Reuse { KeepAlive, Close };
  virtual void respondedRaw(Reuse reuse) = 0;
  /// Sends 101 with `headers` (none: nothing is sent) and takes the connection over; bytes read ahead come first. Connection and Upgrade
  /// are added where `headers` lack them. Throws Error(Unavailable) when the peer has disconnected.
  virtual awaitable<StreamPtr> upgrade(Headers headers) = 0;
  virtual StreamPtr takeStream() = 0;
};

using HttpHandler = std::function<awaitable<void>(Exchange&)>;

/// A request that never reaches a handler.
struct RefusedRequest {
  HeadError error;
  std::string_view bytes;  ///< the received part of its head; unchecked, possibly incomplete
};
struct RefusalResponse {
  Headers headers;
  std::string body;
};

struct HttpServerOptions {
  std::chrono::milliseconds handshakeTimeout{10'000};                          ///< of TLS, from the start of the connection
  std::chrono::milliseconds headTimeout{30'000};                               ///< from the first byte of a request to the end of its head
  std::chrono::milliseconds keepAliveTimeout{75'000};                          ///< idle between requests
  Patience bodyPatience{.silence = std::chrono::seconds(30), .minRate = 256};  ///< for a client that sends a body; handlers may set another
  std::chrono::milliseconds writePatience{120'000};                            ///< for a client that accepts no bytes of a response
  std::chrono::milliseconds tunnelPatience{
      1'800'000};  ///< the same on a connection that was taken over: its user may have paused a program
  std::size_t maxConnections = 20'000;
  std::size_t maxPerAddress = 0;                          ///< connections per client address (IPv6: per /64); 0: unlimited
  std::size_t maxHeadBytesPerAddress = 16 * 1024 * 1024;  ///< of header sections above 16 KiB, while such a limit is set
  std::function<bool(std::string_view)>
      isProxy{};  ///< a peer that forwards for many clients: its connections are not counted under its own address
  /// The client's address in a request that such a peer forwards; empty: not counted by address.
  std::function<std::string(const HeaderViews&, std::string_view peer)> clientOf{};
  OddPaths oddPaths = OddPaths::Refuse;  ///< Mark: the handler decides
  Headers always{};                      ///< added to every response created here (not to raw ones)
  std::shared_ptr<TlsContext> tls{};     ///< when set, every connection starts with a TLS handshake; a request without TLS gets 400
  std::function<RefusalResponse(const RefusedRequest&)> refusal{};  ///< formats refusals; empty: one line of text
};

/// Serves one listener on the current loop until stop(). Exceptions of a handler are logged, and the response is 500 if nothing has been
/// sent. The response to a refused head is its HeadError's status, and the connection is closed.
///
/// At a limit, the connection that has waited longest for its client (idle, or with an incomplete request) is closed in favour of the new
/// one. If none waits, a new connection is closed (maxPerAddress), or not accepted until another has ended (maxConnections).
class HttpServer {
 public:
  HttpServer(std::unique_ptr<Listener> listener, HttpHandler handler, HttpServerOptions options = {});
  ~HttpServer();
  awaitable<void> run();  ///< ends after stop() or cancellation, once the last handler has ended
  void stop();            ///< stops accepting, closes all connections and cancels their handlers; on the owning loop
  std::uint16_t port() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace swarm::net
