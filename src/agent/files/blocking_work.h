// BlockingWork: blocking work on a thread of its own, which a coroutine awaits; and pipes between the two.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "async/loop.h"
#include "async/notifier.h"
#include "base/files/descriptor.h"

namespace swarm::agent {

/// On one loop. Must have been awaited before it is destroyed.
class BlockingWork {
 public:
  BlockingWork(net::Executor executor, std::function<void()> work);
  ~BlockingWork();
  BlockingWork(const BlockingWork&) = delete;
  BlockingWork& operator=(const BlockingWork&) = delete;
  /// Waits until it has ended, even if the caller is cancelled: it uses the caller's objects. Rethrows its exception.
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

/// Writes everything; false when the reader has closed its end.
net::awaitable<bool> writePipe(net::asio::posix::stream_descriptor& input, std::string_view bytes);
/// The thread's calls. Throw transfer::Stopped when the loop's end is closed.
void writeBlocking(const Descriptor& pipe, std::string_view bytes);
std::string readBlocking(const Descriptor& pipe);  ///< empty at the end

/// A pipe between two threads.
std::pair<Descriptor, Descriptor> threadPipe();

}  // namespace swarm::agent
