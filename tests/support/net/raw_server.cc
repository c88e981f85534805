// RawServer's accept loop, and readers for raw streams.
#include "support/net/raw_server.h"

namespace swarm::test {

struct RawServer::State {
  std::unique_ptr<net::Listener> listener;
  Script script;
  TestLoop& loop;
  int connections = 0;
};

namespace {

template <typename State>
awaitable<void> acceptAll(std::shared_ptr<State> state) {
  while (true) {
    net::StreamPtr stream = co_await state->listener->accept();
    state->loop.spawn(state->script(std::move(stream), state->connections++));
  }
}

}  // namespace

RawServer::RawServer(TestLoop& loop, Script script)
    : state_(std::make_shared<State>(net::listenTcp(loop.executor(), {"127.0.0.1", 0}), std::move(script), loop)),
      port_(state_->listener->port()) {
  loop.spawn(acceptAll(state_));
}

RawServer::~RawServer() { close(); }

net::Connector RawServer::connector() const {
  return [address = address()](Deadline deadline) { return net::connectTcp(address, deadline); };
}

int RawServer::connections() const { return state_->connections; }

void RawServer::close() { state_->listener->close(); }

awaitable<std::string> readUntil(net::Stream& stream, std::string end) {
  std::string text;
  while (!text.contains(end)) {
    char piece[4096];
    const net::IoResult got = co_await stream.readSome(asio::buffer(piece));
    if (got.error) break;
    text.append(piece, got.bytes);
  }
  co_return text;
}

awaitable<std::string> readToEnd(net::Stream& stream) {
  std::string text;
  while (true) {
    char piece[4096];
    const net::IoResult got = co_await stream.readSome(asio::buffer(piece));
    if (got.error) break;
    text.append(piece, got.bytes);
  }
  co_return text;
}

awaitable<std::string> readExactly(net::Stream& stream, std::size_t bytes) {
  std::string text(bytes, '\0');
  std::size_t have = 0;
  while (have < bytes) {
    const net::IoResult got = co_await stream.readSome(asio::buffer(text.data() + have, bytes - have));
    if (got.error) break;
    have += got.bytes;
  }
  text.resize(have);
  co_return text;
}

}  // namespace swarm::test
