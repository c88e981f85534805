// The library's way to the server: its URL, one loop, one pooled HTTP client, and problem details turned into Errors.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <string>

#include "net/http_client.h"
#include "net/loop.h"
#include "swarm/client.h"

namespace swarm::client {

class Connection {
 public:
  explicit Connection(ClientConfig config);
  ~Connection();

  /// Runs `work` on the loop and waits for it.
  template <typename T>
  T run(net::awaitable<T> work) {
    return boost::asio::co_spawn(loop_.executor(), std::move(work), boost::asio::use_future).get();
  }

  /// One JSON call. Throws the server's Error for a status of 400 and above.
  boost::json::value call(std::string method, std::string target, const boost::json::value* body = nullptr, net::Headers headers = {});
  /// As call(), and nothing for 404.
  std::optional<boost::json::value> find(std::string target);

  net::HttpClient& http() { return *http_; }
  net::Executor executor() { return loop_.executor(); }
  const net::Connector& connector() const { return connect_; }
  const std::string& hostHeader() const { return host_header_; }
  net::Headers authorization() const;
  const ClientConfig& config() const { return config_; }
  void setToken(Secret token) { config_.token = std::move(token); }

 private:
  ClientConfig config_;
  std::string host_header_;
  net::Connector connect_;
  net::Loop loop_{"swarm-client"};
  std::unique_ptr<net::HttpClient> http_;
};

/// The Error behind an answer with a status of 400 and above (RFC 9457, or whatever a proxy between us answered).
Error errorFromResponse(int status, const net::Headers& headers, std::string_view body);

/// "/api/instances/" + the escaped reference + rest.
std::string instancePath(const std::string& ref, std::string_view rest = {});

}  // namespace swarm::client
