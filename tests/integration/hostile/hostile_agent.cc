// The agent of a workspace whose owner means harm: each connection gets the next of all hostile responses.
#include "support/agents/hostile_agent.h"
#include "async/awaitable.h"

#include <signal.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>

#include "net/connect.h"

namespace swarm::test {
namespace {

async::awaitable<void> serve(net::StreamPtr stream, Hostility how) { co_await respondHostile(*stream, how); }

async::awaitable<void> acceptAll(async::Executor executor) {
  auto listener = net::listenTcp(executor, {"0.0.0.0", 7777});
  for (std::size_t index = 0;; ++index) {
    net::StreamPtr stream = co_await listener->accept();
    // Some lines for the container's log, which the server passes on too.
    std::printf("\x1b]0;owned\x07\x1b[2J%s\n", std::string(2000, '#').c_str());
    boost::asio::co_spawn(executor, serve(std::move(stream), kAllHostilities[index % std::size(kAllHostilities)]), boost::asio::detached);
  }
}

}  // namespace
}  // namespace swarm::test

int main() {
  ::signal(SIGPIPE, SIG_IGN);
  boost::asio::io_context context(1);
  boost::asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&](auto, auto) { context.stop(); });
  boost::asio::co_spawn(context, swarm::test::acceptAll(context.get_executor()), boost::asio::detached);
  context.run();
}
