// A JSON response of 30 MiB, and what else happens on the loop while a client reads it.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>

#include "async/awaitable.h"
#include "support/net/raw_server.h"

namespace swarm::test {

inline constexpr std::size_t kLargeElements = 280'000;

/// An array of kLargeElements objects.
inline std::string largeList() {
  std::string list = "[";
  for (std::size_t i = 0; i < kLargeElements; ++i) {
    std::string id = std::to_string(i);
    list += (i == 0 ? "{\"Id\":\"" : ",{\"Id\":\"") + std::string(88 - id.size(), '0') + id + R"(","State":"exited"})";
  }
  return list + "]";
}

/// Counts the turns of the loop from start() until it is destroyed.
class LoopTurns {
 public:
  explicit LoopTurns(TestLoop& loop) { loop.spawn(count(turns_, loop.executor())); }
  ~LoopTurns() { *turns_ = -1; }
  LoopTurns(const LoopTurns&) = delete;
  LoopTurns& operator=(const LoopTurns&) = delete;
  int count() const { return *turns_; }

 private:
  static awaitable<void> count(std::shared_ptr<int> turns, async::Executor executor) {
    while (*turns >= 0) {
      ++*turns;
      co_await asio::post(executor, asio::use_awaitable);
    }
  }
  std::shared_ptr<int> turns_ = std::make_shared<int>(0);
};

/// A good response with that body. The last byte is sent when the peer has read all others; `turns_then` is how many turns the loop had
/// made.
inline awaitable<void> sendHoldingTheLastByte(net::Stream& stream, const std::string& body, const LoopTurns& turns, int& turns_then) {
  constexpr int kTurnsToRead = 1000;
  std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  co_await stream.writeAll(head);
  co_await stream.writeAll(std::string_view(body).substr(0, body.size() - 1));
  const int written = turns.count();
  while (turns.count() < written + kTurnsToRead) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  turns_then = turns.count();
  co_await stream.writeAll(std::string_view(body).substr(body.size() - 1));
}

}  // namespace swarm::test
