// Pipes between a coroutine and blocking work on another thread (async/blocking_work.h).
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <string>
#include <string_view>

#include "async/loop.h"
#include "base/files/descriptor.h"

namespace swarm::agent {

/// A pipe of 1 MiB with one end for a loop and one for a thread.
struct LoopPipe {
  enum class Direction { ToLoop, FromLoop };
  LoopPipe(const async::Executor& executor, Direction direction);  ///< throws Error(OutOfResources)
  boost::asio::posix::stream_descriptor loop;
  Descriptor thread;
};

/// Writes everything; false when the reader has closed its end.
async::awaitable<bool> writePipe(boost::asio::posix::stream_descriptor& input, std::string_view bytes);
/// The thread's calls. Throw transfer::Stopped when the loop's end is closed.
void writeBlocking(const Descriptor& pipe, std::string_view bytes);
std::string readBlocking(const Descriptor& pipe);  ///< empty at the end

/// A pipe between two threads.
std::pair<Descriptor, Descriptor> threadPipe();

}  // namespace swarm::agent
