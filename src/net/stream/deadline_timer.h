// Internal: the lazily armed timer behind Stream::setDeadline().
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "base/clock.h"

namespace swarm::net {

/// set() is a store and a comparison; the timer is armed only when no armed timer fires early enough, and re-arms when it fires before the
/// current deadline. On the owning loop's thread only.
class DeadlineTimer {
 public:
  /// `on_expired` is called on the loop once a deadline has passed; never after this object is destroyed.
  DeadlineTimer(boost::asio::any_io_executor executor, std::function<void()> on_expired);
  ~DeadlineTimer();
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;

  void set(SteadyTime time) {
    expired_ = false;
    deadline_ = time;
    if (time < armed_for_) arm(time);
  }
  bool expired() const { return expired_; }

 private:
  struct State;
  void arm(SteadyTime time);
  void fire();

  boost::asio::any_io_executor executor_;
  std::function<void()> on_expired_;
  std::shared_ptr<State> state_;
  SteadyTime deadline_ = SteadyTime::max();
  SteadyTime armed_for_ = SteadyTime::max();
  bool expired_ = false;
};

}  // namespace swarm::net
