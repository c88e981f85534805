// ThreadedServer: an HTTP server on a thread of its own, for tests of what blocks the caller's.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <string>

#include "async/loop.h"
#include "net/connect.h"
#include "net/http/http_server.h"

namespace swarm::test {

/// Listens on 127.0.0.1. The handler runs on the server's thread, and must outlive the server.
class ThreadedServer {
 public:
  explicit ThreadedServer(net::HttpHandler handler)
      : server_(std::make_unique<net::HttpServer>(net::listenTcp(loop_.executor(), {"127.0.0.1", 0}), std::move(handler))),
        port_(server_->port()),
        running_(boost::asio::co_spawn(loop_.executor(), server_->run(), boost::asio::use_future)) {}
  ~ThreadedServer() {
    boost::asio::post(loop_.executor(), [this] { server_->stop(); });
    running_.wait();
    auto destroy = [](std::unique_ptr<net::HttpServer> server) -> async::awaitable<void> {
      server.reset();
      co_return;
    };
    boost::asio::co_spawn(loop_.executor(), destroy(std::move(server_)), boost::asio::use_future).wait();
  }
  ThreadedServer(const ThreadedServer&) = delete;
  ThreadedServer& operator=(const ThreadedServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  async::Loop loop_{"test-server"};
  std::unique_ptr<net::HttpServer> server_;
  std::uint16_t port_;
  std::future<void> running_;
};

}  // namespace swarm::test
