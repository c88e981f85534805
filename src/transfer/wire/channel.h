// Between a session's loop and its threads: received frames, frames to send, and the windows that bound both.
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "transfer/tree/storages.h"
#include "transfer/wire/wire.h"

namespace swarm::transfer {

/// Large reusable buffers: fresh memory of this size costs a page fault per 4 KiB. Thread-safe.
class BufferPool {
 public:
  /// `length` bytes of unspecified content.
  std::string take(std::size_t length);
  void give(std::string buffer);

 private:
  std::mutex mutex_;
  std::vector<std::string> buffers_;
};

/// Lets a coroutine of one loop wait for the work of another thread. Check the condition first, then wait for `timer`.
class LoopWake : public std::enable_shared_from_this<LoopWake> {
 public:
  explicit LoopWake(const boost::asio::any_io_executor& executor) : timer(executor), executor_(executor) {}
  void signal();  ///< from any thread
  void disarm();  ///< on the loop: nothing is posted to it from now on
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

/// Frames received from the connection, in lanes that do not wait for each other.
class Inbox {
 public:
  enum Lane { Commands, Listings, Packs, Wanted, Acks, kLanes };

  /// On the loop; never blocks: the windows bound what a conforming peer sends. Throws Error(UpstreamFailed) when the peer exceeds them.
  void push(Arrived frame);
  void close();
  void nudge();  ///< makes waiters re-evaluate their conditions

  Arrived take(Lane lane);                                            ///< blocks; throws Stopped once closed
  bool has(Lane lane) const { return !lanes_[lane].frames.empty(); }  ///< only within wait()'s condition
  /// Blocks until `ready()`, which is called under the lock, returns true. Throws Stopped once closed.
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

/// Frames to send on the connection.
class Outbox {
 public:
  explicit Outbox(std::shared_ptr<LoopWake> wake) : wake_(std::move(wake)) {}

  /// Blocks while too much is unsent. Throws Stopped once closed.
  void push(Frame frame);
  void pushLast(Frame frame);  ///< never blocks, works also when closed; the last frame
  void refuse();               ///< push() throws from now on
  /// To be called on the loop.
  std::vector<Frame> take();
  bool finished() const;  ///< pushLast() was called and everything was taken
  /// Total time that threads have waited for the connection.
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
