// KeyedLock: a lock per name for coroutines of one loop (two creates must not make one network twice).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "async/lock/semaphore.h"

namespace swarm::async {

/// Owned by one loop.
class KeyedLock {
 public:
  /// Held until destroyed.
  struct [[nodiscard]] Guard {
    std::shared_ptr<Semaphore> lock;
    Semaphore::Permit permit;
  };

  /// Waits for its turn; throws Error(DeadlineExceeded).
  awaitable<Guard> acquire(std::string key, Deadline deadline) {
    std::erase_if(locks_, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<Semaphore>& known = locks_[key];
    std::shared_ptr<Semaphore> lock = known.lock();
    if (!lock) known = lock = std::make_shared<Semaphore>(1, "Another operation on the same resource took too long.");
    Semaphore::Permit permit = co_await lock->acquire(deadline);
    co_return Guard{std::move(lock), std::move(permit)};
  }

 private:
  std::map<std::string, std::weak_ptr<Semaphore>> locks_;
};

}  // namespace swarm::async
