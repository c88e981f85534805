// Between a session's loop and its threads: frames that came, frames that go, and the windows that bound both.
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "transfer/storages.h"
#include "transfer/wire.h"

namespace swarm::transfer {

/// Large buffers that are used again: fresh memory of this size costs a page fault for each 4 KiB. Thread-safe.
class BufferPool {
 public:
  /// `length` bytes of anything.
  std::string take(std::size_t length);
  void give(std::string buffer);

 private:
  std::mutex mutex_;
  std::vector<std::string> buffers_;
};

/// Lets a coroutine of one loop wait for what another thread does. wait for `timer`, after having looked.
class LoopWake : public std::enable_shared_from_this<LoopWake> {
 public:
  explicit LoopWake(const boost::asio::any_io_executor& executor) : timer(executor), executor_(executor) {}
  void signal();  ///< from any thread
  void disarm();  ///< from the loop: from now on nothing is posted to it
  boost::asio::steady_timer timer;

 private:
  boost::asio::any_io_executor executor_;
  std::mutex mutex_;
  bool armed_ = true;
  bool posted_ = false;
};

struct Arrived {
  Kind kind = Kind::Bye;
  std::string payload;
};

/// What came from the connection, in lanes that don't wait for each other.
class Inbox {
 public:
  enum Lane { Commands, Listings, Packs, Wanted, Acks, kLanes };

  /// On the loop; never waits: the windows bound what an honest peer sends. Throws Error(UpstreamFailed) when they are not kept.
  void push(Arrived frame);
  void close();
  void nudge();  ///< lets waiters look at their conditions again

  Arrived take(Lane lane);                                            ///< waits; throws Stopped once closed
  bool has(Lane lane) const { return !lanes_[lane].frames.empty(); }  ///< only within wait()'s condition
  /// Waits until `ready()`, called under the lock, gives true. Throws Stopped once closed.
  template <typename Condition>
  void wait(Condition ready) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || ready(); });
    if (closed_) throw Stopped{};
  }

 private:
  struct Queue {
    std::deque<Arrived> frames;
    std::size_t bytes = 0;
  };
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Queue, kLanes> lanes_;
  bool closed_ = false;
};

/// What goes to the connection.
class Outbox {
 public:
  explicit Outbox(std::shared_ptr<LoopWake> wake) : wake_(std::move(wake)) {}

  /// Waits while there is much that has not gone. Throws Stopped once closed.
  void push(Frame frame);
  void pushLast(Frame frame);  ///< without waiting, also when closed; nothing follows
  void refuse();               ///< push() throws from now on
  /// On the loop.
  std::vector<Frame> take();
  bool finished() const;  ///< pushLast() was called and all was taken
  /// How long threads have waited for the connection in all.
  std::chrono::nanoseconds waited() const;

 private:
  std::shared_ptr<LoopWake> wake_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Frame> frames_;
  std::size_t bytes_ = 0;
  std::chrono::nanoseconds waited_{0};
  bool refused_ = false;
  bool last_ = false;
};

}  // namespace swarm::transfer
