// Detects the end of a command's output.
#include "agent/exec/exec_drain.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/io_wait.h"

namespace swarm::agent {
namespace {
constexpr std::chrono::milliseconds kMaxDrainSilence{200};
}

awaitable<std::size_t> OutputDrain::read(asio::posix::stream_descriptor& output, asio::mutable_buffer buffer) {
  if (!output.is_open()) co_return 0;
  ++waiting_;
  boost::system::error_code error;
  auto bytes = co_await output.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
  --waiting_;
  ++reads_;
  co_return error ? 0 : bytes;
}

awaitable<void> OutputDrain::closeWhenDone() {
  co_await process_.child->wait();
  const int outputs = process_.tty ? 1 : 2;
  while (ended_ < outputs) {
    auto before = reads_;
    silence_.expires_after(kMaxDrainSilence);
    if (co_await async::waitTimer(silence_)) continue;
    // A slow client does not count as silence: then no read is waiting, because the last bytes are still being sent.
    if (reads_ == before && waiting_ == outputs - ended_) break;
  }
  process_.closeAll();
}

}  // namespace swarm::agent
