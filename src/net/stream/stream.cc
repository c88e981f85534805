// Operations on any Stream: text writes, prepended bytes, the two-way pump.
#include "net/stream/stream.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cstring>

#include "async/deadline.h"

namespace swarm::net {
namespace {

constexpr std::size_t kPumpBytes = 64 * 1024;

class PrependedStream final : public Stream {
 public:
  PrependedStream(std::string buffered, StreamPtr inner) : buffered_(std::move(buffered)), inner_(std::move(inner)) {}

  awaitable<IoResult> readSome(asio::mutable_buffer buffer) override {
    if (offset_ == buffered_.size() || closed_) return inner_->readSome(buffer);
    return readBuffered(buffer);
  }
  awaitable<IoResult> writeAll(std::span<const asio::const_buffer> buffers) override { return inner_->writeAll(buffers); }
  awaitable<error_code> shutdownWrite() override { return inner_->shutdownWrite(); }
  void close() override {
    closed_ = true;
    inner_->close();
  }
  void abort() override {
    closed_ = true;
    inner_->abort();
  }
  void setDeadline(SteadyTime time) override { inner_->setDeadline(time); }
  void setReadPatience(Patience patience) override { inner_->setReadPatience(patience); }
  void setWritePatience(std::chrono::milliseconds silence) override { inner_->setWritePatience(silence); }
  PeerState peerState() override { return inner_->peerState(); }
  std::uint64_t bytesSent() const override { return inner_->bytesSent(); }
  Executor executor() override { return inner_->executor(); }
  std::string peer() const override { return inner_->peer(); }
  std::string peerAddress() const override { return inner_->peerAddress(); }
  bool isTls() const override { return inner_->isTls(); }
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
  StreamPtr inner_;
};

// One direction, until its source ends. A failure closes both ends, so that the other direction stops too. Left is the client.
awaitable<void> pumpOneWay(Stream& from, Stream& to, PumpDirection direction, const PumpObserver& on_bytes) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(kPumpBytes);
  bool read_failed = true;
  while (true) {
    const IoResult got = co_await from.readSome(asio::buffer(buffer.get(), kPumpBytes));
    if (got.error == asio::error::eof) {
      if (!co_await to.shutdownWrite()) co_return;
      read_failed = false;
      break;
    }
    if (got.error) break;
    if (on_bytes) on_bytes(direction, got.bytes);
    const asio::const_buffer piece(buffer.get(), got.bytes);
    const IoResult written = co_await to.writeAll(std::span(&piece, 1));
    if (written.error) {
      read_failed = false;
      break;
    }
  }
  // A disconnected client reads nothing more. The server must be informed, and could mistake a plain close for the end of one direction;
  // the last bytes of a server must still reach its client.
  const bool client_failed = (direction == PumpDirection::LeftToRight) == read_failed;
  Stream& client = direction == PumpDirection::LeftToRight ? from : to;
  Stream& server = direction == PumpDirection::LeftToRight ? to : from;
  client.close();
  if (client_failed) {
    server.abort();
  } else {
    server.close();
  }
}

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
  try {
    co_await async::both(pumpOneWay(left, right, PumpDirection::LeftToRight, on_bytes),
                         pumpOneWay(right, left, PumpDirection::RightToLeft, on_bytes));
  } catch (...) {
    failure = std::current_exception();
  }
  left.close();
  right.close();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace swarm::net
