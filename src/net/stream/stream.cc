// Operations on any Stream: text writes, prepended bytes, the two-way pump.
#include "net/stream/stream.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cstring>

#include "async/deadline.h"
#include "net/stream/forwarding_stream.h"

namespace swarm::net {
namespace {

constexpr std::size_t kPumpBytes = 64 * 1024;
constexpr std::chrono::seconds kLinger{2};

class PrependedStream final : public ForwardingStream {
 public:
  PrependedStream(std::string buffered, StreamPtr inner) : ForwardingStream(std::move(inner)), buffered_(std::move(buffered)) {}

  awaitable<IoResult> readSome(asio::mutable_buffer buffer) override {
    if (offset_ == buffered_.size() || closed_) return inner_->readSome(buffer);
    return readBuffered(buffer);
  }
  void close() override {
    closed_ = true;
    inner_->close();
  }
  void abort() override {
    closed_ = true;
    inner_->abort();
  }
  bool isIdle() override { return offset_ == buffered_.size() && inner_->isIdle(); }
  FdStream* bareSocket() override { return offset_ == buffered_.size() ? inner_->bareSocket() : nullptr; }

 private:
  awaitable<IoResult> readBuffered(asio::mutable_buffer buffer) {
    const std::size_t bytes = std::min(buffer.size(), buffered_.size() - offset_);
    std::memcpy(buffer.data(), buffered_.data() + offset_, bytes);
    offset_ += bytes;
    if (offset_ == buffered_.size()) {
      buffered_ = {};
      offset_ = 0;
    }
    co_return IoResult{{}, bytes};
  }

  std::string buffered_;
  std::size_t offset_ = 0;
  bool closed_ = false;
};

// One direction each, until its source ends. Left is the client.
class Pump {
 public:
  Pump(Stream& client, Stream& server, const PumpObserver& on_bytes) : client_(client), server_(server), on_bytes_(on_bytes) {}

  awaitable<void> toServer() {
    const auto buffer = std::make_unique_for_overwrite<char[]>(kPumpBytes);
    while (true) {
      const IoResult got = co_await client_.readSome(asio::buffer(buffer.get(), kPumpBytes));
      if (got.error && got.error != asio::error::eof) co_return loseClient();
      if (got.error) {
        if (!refuses_ && co_await server_.shutdownWrite()) refuse();
        co_return;
      }
      if (refuses_) continue;
      if (on_bytes_) on_bytes_(PumpDirection::LeftToRight, got.bytes);
      const asio::const_buffer piece(buffer.get(), got.bytes);
      const error_code failure = (co_await server_.writeAll(std::span(&piece, 1))).error;
      if (failure == asio::error::timed_out) co_return loseClient();
      // Not final: the server may have responded and closed before it read everything.
      if (failure) refuse();
    }
  }

  awaitable<void> toClient() {
    const auto buffer = std::make_unique_for_overwrite<char[]>(kPumpBytes);
    while (true) {
      const IoResult got = co_await server_.readSome(asio::buffer(buffer.get(), kPumpBytes));
      if (got.error) {
        ended_ = true;
        if (got.error != asio::error::eof) server_.close();  // ends a pending write
        if (co_await client_.shutdownWrite()) co_return loseClient();
        if (refuses_ || got.error != asio::error::eof) refuse();
        co_return;
      }
      if (on_bytes_) on_bytes_(PumpDirection::RightToLeft, got.bytes);
      const asio::const_buffer piece(buffer.get(), got.bytes);
      if ((co_await client_.writeAll(std::span(&piece, 1))).error) co_return loseClient();
    }
  }

 private:
  // A disconnected client reads nothing more. The server must be informed, and could mistake a plain close for the end of one direction.
  // Also for a server that is there and does not read.
  void loseClient() {
    client_.close();
    server_.abort();
  }

  // The server reads nothing more. What the client sends is dropped: a close with unread input would reset the connection, and the
  // client might never read the last bytes of the server.
  void refuse() {
    refuses_ = true;
    if (ended_) client_.setDeadline(std::chrono::steady_clock::now() + kLinger);
  }

  Stream& client_;
  Stream& server_;
  const PumpObserver& on_bytes_;
  bool refuses_ = false;
  bool ended_ = false;
};

}  // namespace

awaitable<IoResult> Stream::writeAll(std::string_view text) {
  const asio::const_buffer buffer(text.data(), text.size());
  co_return co_await writeAll(std::span(&buffer, 1));
}

StreamPtr prepend(std::string buffered, StreamPtr inner) {
  if (buffered.empty()) return inner;
  return std::make_unique<PrependedStream>(std::move(buffered), std::move(inner));
}

awaitable<void> pump(Stream& left, Stream& right, PumpObserver on_bytes) {
  // Cancellation reaches both directions through both(): their pending calls fail. Not a scope guard: when an io_context ends, frames are
  // destroyed in an arbitrary order, and the streams may already be gone.
  std::exception_ptr failure;
  Pump directions(left, right, on_bytes);
  try {
    co_await async::both(directions.toServer(), directions.toClient());
  } catch (...) {
    failure = std::current_exception();
  }
  left.close();
  // A server could mistake a plain close for the end of one direction.
  if (failure) right.abort();
  right.close();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace swarm::net
