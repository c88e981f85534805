// Turns: at most so many coroutines of one loop at the same thing; the others wait in line.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <deque>
#include <memory>
#include <utility>

#include "base/clock.h"

namespace swarm::net {

/// One loop only. Whoever takes a turn gives it back by destroying it; that wakes the first in line and nobody else.
class Turns {
 public:
  explicit Turns(std::size_t at_once) : free_(at_once) {}

  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_) turns_->giveBack();
    }

   private:
    Turns* turns_;
  };

  /// Cancellable; throws Error(DeadlineExceeded).
  boost::asio::awaitable<Turn> take(Deadline deadline);
  std::size_t waiting() const { return line_.size(); }

 private:
  struct Waiter;
  void giveBack();

  std::size_t free_;
  std::deque<std::shared_ptr<Waiter>> line_;
};

}  // namespace swarm::net
