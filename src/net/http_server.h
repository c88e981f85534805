// HttpServer: accepts connections and runs one handler per request; the handler answers through Exchange, or takes the connection over.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/connect.h"
#include "net/http.h"

namespace swarm::net {

/// One request and the way to answer it. Lives on the connection's loop.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const RequestHead& head() const = 0;
  virtual BodyReader& body() = 0;
  virtual Stream& stream() = 0;
  /// The connection's read buffer, for a handler that proxies and must know what was read ahead.
  virtual ReadBuffer& buffer() = 0;

  /// A whole answer; Content-Length, Date and Connection are added. HEAD sends no body. A peer that has gone is no error here: the
  /// connection ends after the handler. Throws Error(Internal) for a header that would break the message.
  virtual awaitable<void> respond(int status, Headers headers, std::string body) = 0;
  /// Begins a streamed (chunked) answer; then write() pieces, then finish(). write() waits for the peer: back pressure. A false answer: the
  /// peer is gone.
  virtual awaitable<void> begin(int status, Headers headers) = 0;
  virtual awaitable<bool> write(std::string_view piece) = 0;
  virtual awaitable<void> finish() = 0;
  virtual bool answered() const = 0;

  /// For a handler that wrote the answer to stream() itself: says so, and whether the connection may serve another request.
  enum class Reuse { KeepAlive, Close };
  virtual void answeredRaw(Reuse reuse) = 0;
  /// Sends 101 with `headers` (none: nothing is sent) and takes the connection over; bytes read ahead come first.
  /// Connection and Upgrade are added where `headers` lack them. Throws Error(Unavailable) when the peer is gone.
  virtual awaitable<StreamPtr> upgrade(Headers headers) = 0;
  virtual StreamPtr takeStream() = 0;
};

using HttpHandler = std::function<awaitable<void>(Exchange&)>;

struct HttpServerOptions {
  std::chrono::milliseconds headTimeout{30'000};       ///< from the first byte of a request to the end of its head
  std::chrono::milliseconds keepAliveTimeout{75'000};  ///< idle between requests
  std::size_t maxConnections = 20'000;                 ///< beyond it, new connections wait in the kernel's queue
  std::shared_ptr<TlsContext> tls{};                   ///< set: every connection starts with a TLS handshake
};

/// Serves one listener on the current loop until stop(). Exceptions that reach it from the handler are logged and answered with 500 where
/// nothing has been sent. A refused head gets its HeadError's status with a short text/plain body, and the connection is closed.
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
