// The few instantiations of Asio's awaitable operations that all streams use.
#include "async/io_wait.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace swarm::async {

asio::awaitable<boost::system::error_code> waitReadable(asio::posix::stream_descriptor& descriptor) {
  boost::system::error_code error;
  co_await descriptor.async_wait(asio::posix::descriptor_base::wait_read, asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

asio::awaitable<boost::system::error_code> waitWritable(asio::posix::stream_descriptor& descriptor) {
  boost::system::error_code error;
  co_await descriptor.async_wait(asio::posix::descriptor_base::wait_write, asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

asio::awaitable<boost::system::error_code> waitTimer(asio::steady_timer& timer) {
  boost::system::error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

asio::awaitable<void> yieldLoop() { co_await asio::post(asio::use_awaitable); }

}  // namespace swarm::async
