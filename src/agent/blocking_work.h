// BlockingWork: work that blocks, on a thread of its own, that a coroutine waits for. And pipes between the two.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "agent/descriptor.h"
#include "net/loop.h"
#include "net/notifier.h"

namespace swarm::agent {

/// On one loop. It must have been waited for before it is destroyed.
class BlockingWork {
 public:
  BlockingWork(net::Executor executor, std::function<void()> work);
  ~BlockingWork();
  BlockingWork(const BlockingWork&) = delete;
  BlockingWork& operator=(const BlockingWork&) = delete;
  /// Until it has ended, whether or not the caller is cancelled: it works on the caller's objects. Rethrows what it threw.
  net::awaitable<void> wait();

 private:
  struct State {
    bool done = false;
    std::exception_ptr failure;
    net::Notifier ended;
  };
  std::shared_ptr<State> state_;
  std::thread thread_;
};

/// A pipe of 1 MiB with one end for a loop and one for a thread.
struct LoopPipe {
  enum class Direction { ToLoop, FromLoop };
  LoopPipe(const net::Executor& executor, Direction direction);  ///< throws Error(OutOfResources)
  net::asio::posix::stream_descriptor loop;
  Descriptor thread;
};

/// Writes all; false when the reader has gone.
net::awaitable<bool> writePipe(net::asio::posix::stream_descriptor& input, std::string_view bytes);
/// The thread's calls. Throws transfer::Stopped when the loop's end is closed.
void writeBlocking(const Descriptor& pipe, std::string_view bytes);
std::string readBlocking(const Descriptor& pipe);  ///< empty at the end

/// A pipe between two threads.
std::pair<Descriptor, Descriptor> threadPipe();

}  // namespace swarm::agent
