// RawServer: a server whose behaviour on the wire is defined by a test's coroutine, one per connection.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/connect.h"
#include "support/coroutine_test.h"

namespace swarm::test {

/// Accepts on 127.0.0.1, port zero, and runs `script` for each connection (index 0, 1, …) in the background. The script owns its stream;
/// errors of closed connections in it are failures only if it throws.
class RawServer {
 public:
  using Script = std::function<awaitable<void>(net::StreamPtr stream, int index)>;
  RawServer(TestLoop& loop, Script script);
  ~RawServer();

  net::HostPort address() const { return {"127.0.0.1", port_}; }
  net::Connector connector() const;
  int connections() const;  ///< accepted so far
  void close();             ///< accepts no more

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::uint16_t port_;
};

/// Reads until the data ends with `end` (or contains it: see the result) or the stream ends.
awaitable<std::string> readUntil(net::Stream& stream, std::string end);
/// Reads until the stream ends or fails.
awaitable<std::string> readToEnd(net::Stream& stream);
/// Exactly `bytes` bytes, or fewer if the stream ends.
awaitable<std::string> readExactly(net::Stream& stream, std::size_t bytes);

}  // namespace swarm::test
