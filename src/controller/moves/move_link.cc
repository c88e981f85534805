// MoveLink: opened and closed on the transfer loop.
#include "controller/moves/move_link.h"

#include <boost/asio/post.hpp>

namespace swarm::control {

MoveLink::MoveLink(std::unique_ptr<transfer::Link> link, async::Executor loop) : link_(std::move(link)), loop_(std::move(loop)) {}

/// Closes the streams on their loop.
MoveLink::~MoveLink() {
  boost::asio::post(loop_, [link = std::shared_ptr<transfer::Link>(std::move(link_))] {});
}

awaitable<std::shared_ptr<MoveLink>> MoveLink::open(std::shared_ptr<MoveAgents> agents, async::Executor loop, Ends ends,
                                                    std::string transfer, transfer::Scope scope, transfer::LinkOptions options,
                                                    Deadline deadline) {
  auto link = co_await async::runOn(
      loop, agents->connect(std::move(ends.source), std::move(ends.target), std::move(transfer), std::move(scope), options, deadline));
  co_return std::make_shared<MoveLink>(std::move(link), loop);
}

}  // namespace swarm::control
