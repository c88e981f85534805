// FdStream: tries the system call first and waits for the reactor only when it would block.
#include "net/stream/fd_stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "async/io_wait.h"
#include "base/diagnostics/check.h"

namespace swarm::net {
namespace {

constexpr std::size_t kMaxBuffers = 16;
constexpr SteadyTime kNoLimit{};
// A peer that always has data (or room) must not keep the loop from serving other connections.
constexpr unsigned char kMaxBurst = 32;

error_code lastError() { return {errno, boost::system::system_category()}; }

struct PeerName {
  std::string address;
  std::uint16_t port = 0;
  int family = AF_UNSPEC;
};

PeerName peerName(int fd) {
  PeerName name;
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (fd < 0 || ::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return name;
  char text[INET6_ADDRSTRLEN] = {};
  name.family = storage.ss_family;
  if (storage.ss_family == AF_INET) {
    const auto* ip = reinterpret_cast<const sockaddr_in*>(&storage);
    name.address = ::inet_ntop(AF_INET, &ip->sin_addr, text, sizeof text);
    name.port = ntohs(ip->sin_port);
  } else if (storage.ss_family == AF_INET6) {
    const auto* ip = reinterpret_cast<const sockaddr_in6*>(&storage);
    name.address = ::inet_ntop(AF_INET6, &ip->sin6_addr, text, sizeof text);
    if (name.address.starts_with("::ffff:") && name.address.contains('.')) {
      name.address.erase(0, 7);
      name.family = AF_INET;
    }
    name.port = ntohs(ip->sin6_port);
  }
  return name;
}

// Drops `bytes` from the front of `count` buffers that start at `first`; returns the new first.
std::size_t advance(std::span<iovec> buffers, std::size_t first, std::size_t bytes) {
  while (first < buffers.size() && bytes >= buffers[first].iov_len) bytes -= buffers[first++].iov_len;
  if (bytes > 0) {
    buffers[first].iov_base = static_cast<char*>(buffers[first].iov_base) + bytes;
    buffers[first].iov_len -= bytes;
  }
  return first;
}

ssize_t sendPieces(int fd, std::span<iovec> pieces) {
  // A single piece, as small messages have, saves the kernel from fetching a vector.
  if (pieces.size() == 1) return ::send(fd, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace

void disableDelay(int fd) {
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

FdStream::FdStream(Executor executor, int fd)
    : descriptor_(executor, fd), deadline_(std::move(executor), [this] { cancelPending(); }), fd_(fd) {}

FdStream::~FdStream() { FdStream::close(); }

FdStream::Limits::Limits(FdStream& stream)
    : read(stream.descriptor_.get_executor(), [&stream] { stream.cancelPending(); }),
      write(stream.descriptor_.get_executor(), [&stream] { stream.cancelPending(); }) {}

// Arms the limit of one wait; the result says whether there is a limit. Not a scope guard: when an io_context ends, a stream may be
// destroyed before the frame that waits on it.
SteadyTime FdStream::beginWait(Direction direction) {
  const bool reads = direction == Direction::Read;
  if (reads ? !read_patience_.isLimited() : write_patience_.count() == 0) return kNoLimit;
  const SteadyTime now = std::chrono::steady_clock::now();
  if (!limits_) limits_ = std::make_unique<Limits>(*this);
  if (reads) {
    limits_->read.set(read_patience_.deadline(now));
  } else {
    limits_->write.set(now + write_patience_);
  }
  return now;
}

void FdStream::endWait(Direction direction, SteadyTime began) {
  if (began == kNoLimit) return;
  if (direction == Direction::Read) read_patience_.waited(std::chrono::steady_clock::now() - began);
  DeadlineTimer& timer = direction == Direction::Read ? limits_->read : limits_->write;
  if (!timer.expired()) timer.set(SteadyTime::max());
}

void FdStream::setReadPatience(Patience patience) {
  read_patience_.begin(patience);
  if (limits_) limits_->read.set(SteadyTime::max());
}

void FdStream::setWritePatience(std::chrono::milliseconds silence) {
  write_patience_ = silence;
  if (limits_) limits_->write.set(SteadyTime::max());
}

void FdStream::cancelPending() {
  error_code ignored;
  descriptor_.cancel(ignored);
}

bool FdStream::hasGivenUp(Direction direction) const {
  if (!limits_) return false;
  return direction == Direction::Read ? limits_->read.expired() : limits_->write.expired();
}

// The pending wait in the other direction is cancelled together with the one that timed out, and fails in the same way.
error_code FdStream::waitError(error_code error) const {
  if (fd_ < 0) return asio::error::operation_aborted;
  const bool late = deadline_.expired() || hasGivenUp(Direction::Read) || hasGivenUp(Direction::Write);
  return late ? error_code(asio::error::timed_out) : error;
}

error_code FdStream::ownState(Direction direction) const {
  if (fd_ < 0) return asio::error::operation_aborted;
  return deadline_.expired() || hasGivenUp(direction) ? error_code(asio::error::timed_out) : error_code();
}

awaitable<IoResult> FdStream::readSome(asio::mutable_buffer buffer) {
  if (buffer.size() == 0) co_return IoResult{};
  while (true) {
    if (const error_code error = ownState(Direction::Read)) co_return IoResult{error};
    if (!drained_) {
      const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (got > 0) {
        drained_ = static_cast<std::size_t>(got) < buffer.size();
        read_patience_.received(static_cast<std::size_t>(got));
        if (++burst_ >= kMaxBurst) {
          burst_ = 0;
          co_await async::yieldLoop();
        }
        co_return IoResult{{}, static_cast<std::size_t>(got)};
      }
      if (got == 0) co_return IoResult{asio::error::eof};
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) co_return IoResult{lastError()};
    }
    // Asio retries once and then waits without a further system call; async_wait() would re-arm the reactor with one each time.
    // Inlined on purpose: one more coroutine frame per wait is the largest cost of a small message after the system calls.
    IoResult got;
    const SteadyTime began = beginWait(Direction::Read);
    got.bytes = co_await descriptor_.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, got.error));
    endWait(Direction::Read, began);
    read_patience_.received(got.bytes);
    burst_ = 0;
    drained_ = got.bytes < buffer.size();
    if (got.error && got.error != asio::error::eof) co_return IoResult{waitError(got.error)};
    co_return got;
  }
}

awaitable<IoResult> FdStream::peekMore(asio::mutable_buffer buffer, std::size_t seen) {
  const auto wake_at = [this](std::size_t bytes) {  // otherwise, the bytes that were seen wake it
    const int count = static_cast<int>(bytes);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVLOWAT, &count, sizeof count);
  };
  while (true) {
    if (const error_code error = ownState(Direction::Read)) co_return IoResult{error};
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), MSG_PEEK);
    if (got > static_cast<ssize_t>(seen)) co_return IoResult{{}, static_cast<std::size_t>(got)};
    if (got == 0 || (got > 0 && peerState() != PeerState::Open)) co_return IoResult{asio::error::eof};
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK) co_return IoResult{lastError()};
    burst_ = 0;
    wake_at(seen + 1);
    const SteadyTime began = beginWait(Direction::Read);
    const error_code error = co_await async::waitReadable(descriptor_);
    endWait(Direction::Read, began);
    wake_at(1);
    if (error) co_return IoResult{waitError(error)};
  }
}

awaitable<IoResult> FdStream::writeAll(std::span<const asio::const_buffer> buffers) {
  SWARM_CHECK(buffers.size() <= kMaxBuffers);
  std::array<iovec, kMaxBuffers> storage;
  std::size_t count = 0;
  for (const asio::const_buffer& buffer : buffers) {
    if (buffer.size() > 0) storage[count++] = {const_cast<void*>(buffer.data()), buffer.size()};
  }
  const std::span<iovec> pieces(storage.data(), count);
  std::size_t first = 0;
  IoResult result;
  while (first < count) {
    if (const error_code error = ownState(Direction::Write)) co_return IoResult{error, result.bytes};
    const ssize_t sent = sendPieces(fd_, pieces.subspan(first));
    if (sent >= 0) {
      result.bytes += static_cast<std::size_t>(sent);
      bytes_sent_ += static_cast<std::size_t>(sent);
      first = advance(pieces, first, static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) co_return IoResult{lastError(), result.bytes};
    const SteadyTime began = beginWait(Direction::Write);
    const error_code error = co_await async::waitWritable(descriptor_);
    endWait(Direction::Write, began);
    if (error) co_return IoResult{waitError(error), result.bytes};
  }
  if (++burst_ >= kMaxBurst) {
    burst_ = 0;
    co_await async::yieldLoop();
  }
  co_return result;
}

awaitable<IoResult> FdStream::spliceInto(int pipe, std::size_t maximum) {
  drained_ = false;  // readSome() cannot know what is left in the socket
  if (++burst_ >= kMaxBurst) {
    burst_ = 0;
    co_await async::yieldLoop();
  }
  while (true) {
    if (const error_code error = ownState(Direction::Read)) co_return IoResult{error};
    const ssize_t got = ::splice(fd_, nullptr, pipe, nullptr, maximum, SPLICE_F_NONBLOCK);
    if (got > 0) read_patience_.received(static_cast<std::size_t>(got));
    if (got > 0) co_return IoResult{{}, static_cast<std::size_t>(got)};
    if (got == 0) co_return IoResult{asio::error::eof};
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) co_return IoResult{lastError()};
    burst_ = 0;
    const SteadyTime began = beginWait(Direction::Read);
    const error_code error = co_await async::waitReadable(descriptor_);
    endWait(Direction::Read, began);
    if (error) co_return IoResult{waitError(error)};
  }
}

awaitable<IoResult> FdStream::spliceFrom(int pipe, std::size_t bytes) {
  IoResult result;
  while (result.bytes < bytes) {
    if (const error_code error = ownState(Direction::Write)) co_return IoResult{error, result.bytes};
    const ssize_t sent = ::splice(pipe, nullptr, fd_, nullptr, bytes - result.bytes, SPLICE_F_NONBLOCK);
    if (sent > 0) {
      result.bytes += static_cast<std::size_t>(sent);
      bytes_sent_ += static_cast<std::size_t>(sent);
      continue;
    }
    if (sent == 0) co_return IoResult{asio::error::broken_pipe, result.bytes};  // the pipe held less than expected
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) co_return IoResult{lastError(), result.bytes};
    const SteadyTime began = beginWait(Direction::Write);
    const error_code error = co_await async::waitWritable(descriptor_);
    endWait(Direction::Write, began);
    if (error) co_return IoResult{waitError(error), result.bytes};
  }
  co_return result;
}

awaitable<error_code> FdStream::shutdownWrite() {
  if (fd_ < 0) co_return asio::error::operation_aborted;
  if (::shutdown(fd_, SHUT_WR) != 0) co_return lastError();
  co_return error_code();
}

void FdStream::close() {
  if (fd_ < 0) return;
  fd_ = -1;
  error_code ignored;
  descriptor_.close(ignored);
}

void FdStream::abort() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

std::string FdStream::peer() const {
  PeerName name = peerName(fd_);
  if (name.family == AF_INET6) return "[" + name.address + "]:" + std::to_string(name.port);
  if (name.family == AF_INET) return name.address + ":" + std::to_string(name.port);
  return name.family == AF_UNIX ? "unix" : "closed";
}

std::string FdStream::peerAddress() const {
  if (peer_address_.empty()) peer_address_ = peerName(fd_).address;
  return peer_address_;
}

bool FdStream::isIdle() {
  if (fd_ < 0 || deadline_.expired()) return false;
  char byte = 0;
  return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

PeerState FdStream::peerState() {
  pollfd probe{.fd = fd_, .events = POLLRDHUP, .revents = 0};
  if (fd_ < 0) return PeerState::Gone;
  if (::poll(&probe, 1, 0) < 1) return PeerState::Open;
  if ((probe.revents & (POLLERR | POLLHUP)) != 0) return PeerState::Gone;
  return (probe.revents & POLLRDHUP) != 0 ? PeerState::HalfClosed : PeerState::Open;
}

}  // namespace swarm::net
