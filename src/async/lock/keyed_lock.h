// KeyedLock: a lock per name for coroutines of one loop (two creates must not make one network twice).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"

namespace swarm::async {

using boost::asio::awaitable;

/// Owned by one loop; must outlive its guards.
class KeyedLock {
 public:
  /// Held until destroyed.
  class [[nodiscard]] Guard {
   public:
    Guard(KeyedLock& lock, std::string key) : lock_(&lock), key_(std::move(key)) {}
    Guard(Guard&& other) noexcept : lock_(std::exchange(other.lock_, nullptr)), key_(std::move(other.key_)) {}
    Guard& operator=(Guard&&) = delete;
    ~Guard() {
      if (lock_) lock_->release(key_);
    }

   private:
    KeyedLock* lock_;
    std::string key_;
  };

  /// Waits for its turn; throws Error(DeadlineExceeded).
  awaitable<Guard> acquire(std::string key, Deadline deadline);

 private:
  struct Waiter;
  void release(const std::string& key);
  std::map<std::string, std::deque<std::shared_ptr<Waiter>>> waiting_;  ///< an entry stands for a held lock
};

}  // namespace swarm::async
