// The coroutine types that every room uses.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace swarm::async {

namespace asio = boost::asio;
using asio::awaitable;
using Executor = asio::any_io_executor;

}  // namespace swarm::async
