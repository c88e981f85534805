// HttpClient: requests to one endpoint over pooled keep-alive connections; buffered or streaming responses, upgrades.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/connect.h"
#include "net/http/http.h"

namespace swarm::net {

/// Where an HTTP server listens, and the headers with which a proxy in front of it routes requests to it. Converts from a bare connector,
/// for a server that is reached directly. A value; thread-safe if its connector is.
struct HttpEndpoint {
  HttpEndpoint() = default;
  template <std::convertible_to<Connector> Connect>
  HttpEndpoint(Connect open, std::string host_header = {}, Headers always = {})
      : connect(std::move(open)), host(std::move(host_header)), headers(std::move(always)) {}
  explicit operator bool() const { return static_cast<bool>(connect); }

  Connector connect{};
  std::string host{};  ///< Host header; empty: the caller's choice
  Headers headers{};   ///< added to each request
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  Headers headers{};  ///< Host, Content-Length and Connection are added
  std::string body{};
  std::string contentType{};
  /// Instead of `body`: returns the next piece, empty at the end; sent in chunks, and never sent twice.
  std::function<awaitable<std::string>(Deadline)> bodySource{};
};

struct HttpResponse {
  int status = 0;
  Headers headers{};
  std::string body{};
};

/// A response whose body is read piece by piece, or whose connection was upgraded. Its connection returns to the pool when the body was
/// read to the end, and is closed otherwise.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  virtual int status() const = 0;
  virtual const Headers& headers() const = 0;
  virtual bool upgraded() const = 0;  ///< 101
  /// The next piece (up to 64 KiB), empty at the end. Throws Error(Unavailable) when the connection is lost, Error(DeadlineExceeded).
  virtual awaitable<std::string> read(Deadline deadline) = 0;
  /// For request bodies that are sent while the response is awaited (exec attach) and after an upgrade: takes over the raw stream,
  /// including unread bytes.
  virtual StreamPtr takeStream() = 0;
};

struct HttpClientOptions {
  std::string host{};  ///< Host header
  std::string name{};  ///< name of the endpoint in error messages ("the Docker Engine at /run/docker.sock"); empty: host
  std::size_t maxIdle = 8;
  std::chrono::milliseconds idleTimeout{30'000};
  std::size_t maxBody = 64 * 1024 * 1024;
  Headers headers{};  ///< added to each request
};

/// Not thread-safe: one loop owns it. When a request on a stale pooled connection fails before any byte of the response, it is sent once
/// more on a new connection if the method is GET, HEAD, PUT, DELETE or OPTIONS; a POST only if none of it can have been processed (the
/// connection was found closed before writing).
class HttpClient {
 public:
  HttpClient(Connector connect, HttpClientOptions options);
  ~HttpClient();

  /// Throws Error(Unavailable|DeadlineExceeded|UpstreamFailed) for transport failures; any status is a normal response.
  awaitable<HttpResponse> send(HttpRequest request, Deadline deadline);
  awaitable<std::unique_ptr<HttpExchange>> open(HttpRequest request, Deadline deadline);
  /// Closes idle connections (after the endpoint was replaced).
  void dropIdle();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace swarm::net
