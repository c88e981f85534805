// BodyUpload: sends a large request body to the upstream while the response is already being read.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "async/awaitable.h"
#include "net/http/http_server.h"

namespace swarm::gateway {

/// "1f40\r\n" for a chunk of this size, in `storage`.
boost::asio::const_buffer chunkSize(std::array<char, 20>& storage, std::size_t bytes);

/// Runs as a coroutine of its own on the exchange's loop. Exchange and upstream must live until settle() has returned.
class BodyUpload {
 public:
  static std::shared_ptr<BodyUpload> start(net::Exchange& exchange, net::Stream& upstream, bool chunked);

  bool ended() const { return ended_; }
  /// The client's connection ended in the middle of its body; the upstream was closed as well.
  bool clientFailed() const { return client_failed_; }
  /// Waits for the end of the coroutine. Bytes that the client still sends are read and dropped for at most `linger`: closing with unread
  /// bytes would reset the connection, and the client might not see its response. True: the body was read to its end, so another request
  /// may follow.
  async::awaitable<bool> settle(net::Stream& client, std::chrono::milliseconds linger);

  explicit BodyUpload(async::Executor executor);

 private:
  static async::awaitable<void> run(std::shared_ptr<BodyUpload> self, net::BodyReader& body, net::Stream& upstream, bool chunked);

  boost::asio::steady_timer ended_signal_;
  std::vector<char> piece_;
  bool discard_ = false;
  bool ended_ = false;
  bool complete_ = false;
  bool client_failed_ = false;
};

}  // namespace swarm::gateway
