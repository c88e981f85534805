// Stream: one byte stream (TCP, TLS or unix socket) behind one small virtual interface, so that HTTP and WebSocket code is compiled once.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "async/awaitable.h"
#include "net/stream/patience.h"

namespace swarm::net {

namespace asio = boost::asio;
using async::awaitable;
using async::Executor;
using boost::system::error_code;

class FdStream;

struct IoResult {
  error_code error;
  std::size_t bytes = 0;
};

/// The kernel's view of the other end. HalfClosed: it will send nothing more; only a send can reveal whether it still reads.
enum class PeerState { Open, HalfClosed, Gone };

/// Data-plane interface: errors are codes (asio::error::eof at the end, timed_out after the deadline, operation_aborted after close()). At
/// most one read and one write may be pending. Every call on the owning loop's thread.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Reads at least one byte, or reports an error.
  virtual awaitable<IoResult> readSome(asio::mutable_buffer buffer) = 0;
  /// Writes all of `buffers` (at most 16), in as few system calls as possible.
  virtual awaitable<IoResult> writeAll(std::span<const asio::const_buffer> buffers) = 0;
  awaitable<IoResult> writeAll(std::string_view text);

  /// Ends the outgoing direction and leaves the other open (TLS: close_notify, bounded by the deadline).
  virtual awaitable<error_code> shutdownWrite() = 0;
  /// Ends both directions at once; pending calls complete with operation_aborted.
  virtual void close() = 0;

  /// From now on, pending and later reads and writes fail with timed_out once `time` has passed. Cheap enough for every request (a store;
  /// the timer behind it is armed lazily). SteadyTime::max() for none, which is the default.
  virtual void setDeadline(SteadyTime time) = 0;
  /// In addition to the deadline: from now on a read fails with timed_out if it would have to wait longer than this for the peer. Costs
  /// nothing while reads need not wait. In-process streams have no limit.
  virtual void setReadPatience(Patience /*patience*/) {}
  /// The same for a write of which the peer accepts no byte for this long; 0: unlimited.
  virtual void setWritePatience(std::chrono::milliseconds /*silence*/) {}

  virtual Executor executor() = 0;
  /// "127.0.0.1:1234", "unix", for logs and X-Forwarded-For (peerAddress: without the port, empty for unix).
  virtual std::string peer() const = 0;
  virtual std::string peerAddress() const = 0;
  virtual bool isTls() const { return false; }
  /// Whether the stream is open and has nothing to read: a pool checks this before it reuses a connection. Costs a system call.
  virtual bool isIdle() { return true; }
  /// Costs a system call; nothing is read.
  virtual PeerState peerState() { return PeerState::Open; }
  /// Bytes of our writes that the system has accepted: constant while the peer accepts nothing.
  virtual std::uint64_t bytesSent() const { return 0; }
  /// A close() that the peer sees as a reset, even when nothing is in flight: it cannot be mistaken for the end of one direction.
  virtual void abort() { close(); }
  /// The socket that carries this stream's bytes unchanged, if there is one and nothing is buffered before it: required by splice().
  virtual FdStream* bareSocket() { return nullptr; }
};

using StreamPtr = std::unique_ptr<Stream>;

/// A stream that first yields `buffered`, then the content of `inner`: for bytes read past the end of a message.
StreamPtr prepend(std::string buffered, StreamPtr inner);

/// Copies both ways until both directions have ended, half-closing each when its source ends; never reads more before the previous bytes
/// have been written. `onBytes` (may be empty) is called with each chunk's size and direction. Left is the client: ends early when it
/// fails, or when the right side does not read in time. When the right side is gone, what it sent still reaches the client, whose input is
/// dropped for at most 2 seconds. Both are closed at the end.
enum class PumpDirection { LeftToRight, RightToLeft };
using PumpObserver = std::function<void(PumpDirection, std::size_t)>;
awaitable<void> pump(Stream& left, Stream& right, PumpObserver on_bytes = {});

/// One connected pair of in-memory streams, for tests and in-process calls.
std::pair<StreamPtr, StreamPtr> makePipe(Executor executor, std::size_t capacity = 64 * 1024);

}  // namespace swarm::net
