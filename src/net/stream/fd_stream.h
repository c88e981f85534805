// Internal: the Stream over a connected socket, TCP or unix.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <string>

#include "net/stream/deadline_timer.h"
#include "net/stream/stream.h"

namespace swarm::net {

/// Owns `fd`, a connected non-blocking stream socket.
class FdStream final : public Stream {
 public:
  FdStream(Executor executor, int fd);
  ~FdStream() override;

  awaitable<IoResult> readSome(asio::mutable_buffer buffer) override;
  awaitable<IoResult> writeAll(std::span<const asio::const_buffer> buffers) override;
  awaitable<error_code> shutdownWrite() override;
  void close() override;
  void abort() override;
  void setDeadline(SteadyTime time) override { deadline_.set(time); }
  void setReadPatience(Patience patience) override;
  void setWritePatience(std::chrono::milliseconds silence) override;
  Executor executor() override { return descriptor_.get_executor(); }
  std::string peer() const override;
  std::string peerAddress() const override;
  bool isIdle() override;
  PeerState peerState() override;
  std::uint64_t bytesSent() const override { return bytes_sent_; }
  FdStream* bareSocket() override { return this; }
  int nativeHandle() const { return fd_; }  ///< for a process that inherits a copy; negative: closed

  /// Waits until the socket holds more than `seen` bytes, or is at its end (eof), and copies them: they stay in the socket, for a
  /// process that inherits it.
  awaitable<IoResult> peekMore(asio::mutable_buffer buffer, std::size_t seen);

  /// Moves between one byte and the given maximum into `pipe`, which must be empty.
  awaitable<IoResult> spliceInto(int pipe, std::size_t maximum);
  /// Moves `bytes` bytes, which `pipe` holds, into the socket. SIGPIPE must be ignored.
  awaitable<IoResult> spliceFrom(int pipe, std::size_t bytes);

 private:
  enum class Direction { Read, Write };
  /// Created by the first wait that has a limit: most connections never need one.
  struct Limits {
    explicit Limits(FdStream& stream);
    DeadlineTimer read;
    DeadlineTimer write;
  };
  error_code waitError(error_code error) const;
  /// Why an operation cannot start, if it cannot.
  error_code ownState(Direction direction) const;
  bool hasGivenUp(Direction direction) const;
  void cancelPending();
  SteadyTime beginWait(Direction direction);
  void endWait(Direction direction, SteadyTime began);

  asio::posix::stream_descriptor descriptor_;
  DeadlineTimer deadline_;
  PatienceMeter read_patience_;
  std::chrono::milliseconds write_patience_{0};
  std::unique_ptr<Limits> limits_;
  std::uint64_t bytes_sent_ = 0;
  int fd_;
  bool drained_ = false;              // the last read emptied the socket: wait before the next one
  unsigned char burst_ = 0;           // operations completed without yielding to other connections
  mutable std::string peer_address_;  // queried once: a proxy sends it with every request
};

/// Sets TCP_NODELAY; harmless on a unix socket.
void disableDelay(int fd);

}  // namespace swarm::net
