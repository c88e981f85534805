// Internal: waits of file descriptors and timers as coroutines, compiled once.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include "async/awaitable.h"

namespace swarm::async {

asio::awaitable<boost::system::error_code> waitReadable(asio::posix::stream_descriptor& descriptor);
asio::awaitable<boost::system::error_code> waitWritable(asio::posix::stream_descriptor& descriptor);
/// The timer's result: success once it expires, operation_aborted when it or the coroutine is cancelled.
asio::awaitable<boost::system::error_code> waitTimer(asio::steady_timer& timer);
/// Yields to other work of the loop.
asio::awaitable<void> yieldLoop();

}  // namespace swarm::async
