// TcpGate's connections.
#include "support/net/tcp_gate.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <vector>

#include "async/deadline.h"

namespace swarm::test {
namespace {

struct Passage {
  net::StreamPtr client;
  net::StreamPtr server;
  void close() {
    client->close();
    server->close();
  }
};

awaitable<void> passOneWay(std::shared_ptr<Passage> passage, net::Stream& from, net::Stream& to, GateRules rules) {
  std::vector<char> buffer(std::max<std::size_t>(rules.sliceBytes, 1));
  std::uint64_t passed = 0;
  while (true) {
    const std::uint64_t until = std::min({rules.cutAt, rules.stallAt, passed + buffer.size()});
    if (until == passed && rules.cutAt == passed) break;
    if (until == passed) co_await async::sleepUntil(Deadline::never());
    const net::IoResult got = co_await from.readSome(asio::buffer(buffer.data(), static_cast<std::size_t>(until - passed)));
    if (got.error == asio::error::eof) {
      if (co_await to.shutdownWrite()) break;
      co_return;
    }
    if (got.error) break;
    if (rules.delay.count() > 0) co_await async::sleepFor(rules.delay);
    if (rules.corruptAt >= passed && rules.corruptAt < passed + got.bytes) {
      char& byte = buffer[static_cast<std::size_t>(rules.corruptAt - passed)];
      byte = static_cast<char>(~byte);
    }
    const net::IoResult written = co_await to.writeAll(std::string_view(buffer.data(), got.bytes));
    if (written.error) break;
    passed += got.bytes;
  }
  passage->close();
}

}  // namespace

struct TcpGate::State {
  TestLoop& loop;
  net::Connector target;
  std::unique_ptr<net::Listener> listener;
  GateRules to_server{};
  GateRules to_client{};
  std::vector<std::weak_ptr<Passage>> passages{};
  int connections = 0;
};

namespace {

template <typename State>
awaitable<void> pass(std::shared_ptr<State> state, net::StreamPtr client) {
  auto passage = std::make_shared<Passage>();
  passage->client = std::move(client);
  const GateRules to_server = state->to_server;
  const GateRules to_client = state->to_client;
  try {
    passage->server = co_await state->target(Deadline::after(std::chrono::seconds(10)));
  } catch (const std::exception&) {
    co_return;  // the client sees its connection closed
  }
  state->passages.push_back(passage);
  co_await async::both(passOneWay(passage, *passage->client, *passage->server, to_server),
                       passOneWay(passage, *passage->server, *passage->client, to_client));
}

template <typename State>
awaitable<void> acceptGated(std::shared_ptr<State> state) {
  while (true) {
    net::StreamPtr client = co_await state->listener->accept();
    ++state->connections;
    state->loop.spawn(pass(state, std::move(client)));
  }
}

}  // namespace

TcpGate::TcpGate(TestLoop& loop, net::Connector target)
    : state_(std::make_shared<State>(loop, std::move(target), net::listenTcp(loop.executor(), {"127.0.0.1", 0}))),
      port_(state_->listener->port()) {
  loop.spawn(acceptGated(state_));
}

TcpGate::~TcpGate() {
  state_->listener->close();
  cutAll();
}

void TcpGate::setRules(GateRules to_server, GateRules to_client) {
  state_->to_server = to_server;
  state_->to_client = to_client;
}

net::Connector TcpGate::connector() const {
  return [address = address()](Deadline deadline) { return net::connectTcp(address, deadline); };
}

int TcpGate::connections() const { return state_->connections; }

void TcpGate::cutAll() {
  for (const auto& weak : state_->passages) {
    if (const auto passage = weak.lock()) passage->close();
  }
  state_->passages.clear();
}

}  // namespace swarm::test
