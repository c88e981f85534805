// In-memory stream pairs, with the same errors, deadlines and back pressure as sockets.
#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>

#include "async/io_wait.h"
#include "net/stream/deadline_timer.h"
#include "net/stream/stream.h"

namespace swarm::net {
namespace {

// One direction of a pipe.
struct Channel {
  Channel(const Executor& executor, std::size_t its_capacity)
      : capacity(its_capacity), changed_for_reader(executor), changed_for_writer(executor) {}
  std::string bytes;
  std::size_t capacity;
  bool ended = false;   // the writer will write no more
  bool broken = false;  // the reader will read no more
  asio::steady_timer changed_for_reader;
  asio::steady_timer changed_for_writer;
};

class PipeStream final : public Stream {
 public:
  PipeStream(const Executor& executor, std::shared_ptr<Channel> in, std::shared_ptr<Channel> out)
      : executor_(executor), in_(std::move(in)), out_(std::move(out)), deadline_(executor, [this] { wakeOwn(); }) {}
  ~PipeStream() override { PipeStream::close(); }

  awaitable<IoResult> readSome(asio::mutable_buffer buffer) override {
    while (true) {
      if (const error_code error = ownState()) co_return IoResult{error};
      if (buffer.size() == 0) co_return IoResult{};
      if (!in_->bytes.empty()) {
        const std::size_t bytes = std::min(buffer.size(), in_->bytes.size());
        std::memcpy(buffer.data(), in_->bytes.data(), bytes);
        in_->bytes.erase(0, bytes);
        in_->changed_for_writer.cancel();
        co_return IoResult{{}, bytes};
      }
      if (in_->ended) co_return IoResult{asio::error::eof};
      if (!co_await waitFor(in_->changed_for_reader)) co_return IoResult{asio::error::operation_aborted};
    }
  }

  awaitable<IoResult> writeAll(std::span<const asio::const_buffer> buffers) override {
    IoResult result;
    for (const asio::const_buffer& whole : buffers) {
      asio::const_buffer rest = whole;
      while (rest.size() > 0) {
        result.error = ownState();
        if (!result.error && (out_->broken || out_->ended)) result.error = asio::error::broken_pipe;
        if (result.error) co_return result;
        const std::size_t bytes = std::min(rest.size(), out_->capacity - out_->bytes.size());
        if (bytes == 0) {
          if (!co_await waitFor(out_->changed_for_writer)) result.error = asio::error::operation_aborted;
          if (result.error) co_return result;
          continue;
        }
        out_->bytes.append(static_cast<const char*>(rest.data()), bytes);
        out_->changed_for_reader.cancel();
        rest += bytes;
        result.bytes += bytes;
      }
    }
    co_return result;
  }

  awaitable<error_code> shutdownWrite() override {
    out_->ended = true;
    out_->changed_for_reader.cancel();
    co_return error_code();
  }

  void close() override {
    if (closed_) return;
    closed_ = true;
    out_->ended = true;
    in_->broken = true;
    wakeOwn();
    out_->changed_for_reader.cancel();
    in_->changed_for_writer.cancel();
  }
  void setDeadline(SteadyTime time) override { deadline_.set(time); }
  Executor executor() override { return executor_; }
  std::string peer() const override { return "pipe"; }
  std::string peerAddress() const override { return {}; }
  bool isIdle() override { return !closed_ && in_->bytes.empty() && !in_->ended; }

 private:
  error_code ownState() const {
    if (closed_) return asio::error::operation_aborted;
    return deadline_.expired() ? error_code(asio::error::timed_out) : error_code();
  }

  void wakeOwn() {
    in_->changed_for_reader.cancel();
    out_->changed_for_writer.cancel();
  }

  // False when the coroutine itself was cancelled. The channel is kept alive past the end of this stream.
  static awaitable<bool> waitFor(asio::steady_timer& changed) {
    changed.expires_at(SteadyTime::max());
    co_await async::waitTimer(changed);
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() == asio::cancellation_type::none;
  }

  Executor executor_;
  std::shared_ptr<Channel> in_;
  std::shared_ptr<Channel> out_;
  DeadlineTimer deadline_;
  bool closed_ = false;
};

}  // namespace

std::pair<StreamPtr, StreamPtr> makePipe(Executor executor, std::size_t capacity) {
  auto first = std::make_shared<Channel>(executor, capacity);
  auto second = std::make_shared<Channel>(executor, capacity);
  return {std::make_unique<PipeStream>(executor, first, second), std::make_unique<PipeStream>(executor, second, first)};
}

}  // namespace swarm::net
