// MoveLink: each call runs on the transfer loop.
#include "controller/moves/move_link.h"

#include <boost/asio/post.hpp>

namespace swarm::control {

MoveLink::MoveLink(std::unique_ptr<transfer::Link> link, async::Executor loop, async::Executor control)
    : link_(std::move(link)), loop_(std::move(loop)), control_(std::move(control)) {}

/// Closes the streams on their loop.
MoveLink::~MoveLink() {
  boost::asio::post(loop_, [link = std::shared_ptr<transfer::Link>(std::move(link_))] {});
}

awaitable<std::shared_ptr<MoveLink>> MoveLink::open(std::shared_ptr<MoveAgents> agents, async::Executor loop, async::Executor control,
                                                    Ends ends, std::string transfer, transfer::Scope scope, transfer::LinkOptions options,
                                                    Deadline deadline) {
  auto link = co_await async::runOn(
      loop, agents->connect(std::move(ends.source), std::move(ends.target), std::move(transfer), std::move(scope), options, deadline));
  co_return std::make_shared<MoveLink>(std::move(link), loop, control);
}

transfer::ProgressSink MoveLink::onControl(transfer::ProgressSink progress) const {
  if (!progress) return {};
  return [control = control_, progress = std::move(progress)](const transfer::TransferProgress& now) {
    boost::asio::post(control, [progress, now] { progress(now); });
  };
}

awaitable<transfer::ScanReport> MoveLink::scan(transfer::Side side, transfer::ProgressSink progress) {
  co_return co_await async::runOn(loop_, link_->scan(side, onControl(std::move(progress))));
}
awaitable<transfer::RoundReport> MoveLink::round(transfer::RoundKind kind, transfer::ProgressSink progress) {
  co_return co_await async::runOn(loop_, link_->round(kind, onControl(std::move(progress))));
}
awaitable<transfer::DigestReport> MoveLink::digest(transfer::Side side, transfer::ProgressSink progress) {
  co_return co_await async::runOn(loop_, link_->digest(side, onControl(std::move(progress))));
}
awaitable<std::pair<transfer::DigestReport, transfer::DigestReport>> MoveLink::digests(transfer::ProgressSink progress) {
  co_return co_await async::runOn(loop_, link_->digests(onControl(std::move(progress))));
}
awaitable<void> MoveLink::sync(transfer::Side side) { co_await async::runOn(loop_, link_->sync(side)); }
awaitable<std::vector<transfer::Note>> MoveLink::differences(std::size_t most) {
  co_return co_await async::runOn(loop_, link_->differences(most));
}
awaitable<void> MoveLink::close() { co_await async::runOn(loop_, link_->close()); }

}  // namespace swarm::control
