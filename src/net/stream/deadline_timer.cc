// DeadlineTimer on one steady_timer, whose handler may safely outlive its owner.
#include "net/stream/deadline_timer.h"

#include <boost/asio/steady_timer.hpp>
#include <chrono>

namespace swarm::net {

// A handler that is already queued when the owner is destroyed still runs: it holds the state, in which the owner is null.
struct DeadlineTimer::State {
  boost::asio::steady_timer timer;
  DeadlineTimer* owner;
  std::uint64_t generation = 0;
};

DeadlineTimer::DeadlineTimer(boost::asio::any_io_executor executor, std::function<void()> on_expired)
    : executor_(std::move(executor)), on_expired_(std::move(on_expired)) {}

DeadlineTimer::~DeadlineTimer() {
  if (!state_) return;
  state_->owner = nullptr;
  state_->timer.cancel();
}

void DeadlineTimer::arm(SteadyTime time) {
  if (!state_) state_ = std::make_shared<State>(boost::asio::steady_timer(executor_), this);
  armed_for_ = time;
  state_->timer.expires_at(time);
  state_->timer.async_wait([state = state_, generation = ++state_->generation](boost::system::error_code error) {
    if (!error && state->owner != nullptr && state->generation == generation) state->owner->fire();
  });
}

void DeadlineTimer::fire() {
  armed_for_ = SteadyTime::max();
  if (deadline_ == SteadyTime::max()) return;
  if (std::chrono::steady_clock::now() < deadline_) return arm(deadline_);
  expired_ = true;
  deadline_ = SteadyTime::max();
  on_expired_();
}

}  // namespace swarm::net
