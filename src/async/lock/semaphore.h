// Semaphore: limits how many coroutines of one loop do the same thing concurrently; the others wait in order of arrival.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "async/awaitable.h"
#include "base/clock.h"

namespace swarm::async {

/// One loop only. Destroying a permit releases it and wakes the first waiter.
class Semaphore {
 public:
  /// `timed_out`: the message of an acquire() that fails.
  explicit Semaphore(std::size_t at_once, std::string timed_out = "Timed out waiting for a free slot.")
      : free_(at_once), timed_out_(std::move(timed_out)) {}

  class Permit {
   public:
    explicit Permit(Semaphore& semaphore) : semaphore_(&semaphore) {}
    Permit(Permit&& other) noexcept : semaphore_(std::exchange(other.semaphore_, nullptr)) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (semaphore_) semaphore_->release();
    }

   private:
    Semaphore* semaphore_;
  };

  /// Cancellable; throws Error(DeadlineExceeded).
  awaitable<Permit> acquire(Deadline deadline);
  std::size_t waiting() const { return queue_.size(); }

 private:
  struct Waiter;
  void release();

  std::size_t free_;
  std::string timed_out_;
  std::deque<std::shared_ptr<Waiter>> queue_;
};

}  // namespace swarm::async
