// splice(2) from socket to socket through a pipe, and the pool of pipes.
#include "net/stream/splice.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include "net/stream/fd_stream.h"

namespace swarm::net {
namespace {

// Maximum number of bytes in flight. A pipe has a slot for each piece of a packet, however small: the default of 16 slots (64 KiB) costs
// four times the system calls here, and fills up after a few packets of a real network.
constexpr std::size_t kPipeBytes = 256 * 1024;
constexpr std::size_t kSparePipes = 16;  // per thread
// Connections have priority over downloads in the use of descriptors.
std::atomic<int> max_pipes = 512;
std::atomic<int> open_pipes = 0;

struct PipeEnds {
  PipeEnds() = default;
  PipeEnds(int out, int in) : out_end(out), in_end(in) {}
  PipeEnds(PipeEnds&& other) noexcept : out_end(std::exchange(other.out_end, -1)), in_end(std::exchange(other.in_end, -1)) {}
  PipeEnds& operator=(PipeEnds&& other) noexcept {
    std::swap(out_end, other.out_end);
    std::swap(in_end, other.in_end);
    return *this;
  }
  ~PipeEnds() {
    if (out_end < 0) return;
    ::close(out_end);
    ::close(in_end);
    --open_pipes;
  }
  int out_end = -1;
  int in_end = -1;
};

PipeEnds openPipe() {
  if (++open_pipes > max_pipes) {
    --open_pipes;
    return {};
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) {
    --open_pipes;
    return {};
  }
  ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(kPipeBytes));  // a user with too many large pipes gets a small one, which works too
  return {ends[0], ends[1]};
}

// A pipe for one transfer. It is reused only once it is empty: otherwise the next exchange would read the leftovers of the last one.
class TransferPipe {
 public:
  TransferPipe() {
    if (spare_.empty()) {
      ends_ = openPipe();
    } else {
      ends_ = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  ~TransferPipe() {
    if (isOpen() && held_ == 0 && spare_.size() < kSparePipes) spare_.push_back(std::move(ends_));
  }
  TransferPipe(const TransferPipe&) = delete;
  TransferPipe& operator=(const TransferPipe&) = delete;

  bool isOpen() const { return ends_.in_end >= 0; }

  /// Fills the empty pipe.
  awaitable<IoResult> fill(FdStream& from, std::size_t maximum) {
    held_ = maximum;  // however this coroutine ends, the pipe counts as full until the actual number is known
    const IoResult got = co_await from.spliceInto(ends_.in_end, maximum);
    held_ = got.bytes;
    co_return got;
  }
  awaitable<IoResult> empty(FdStream& to) {
    const IoResult put = co_await to.spliceFrom(ends_.out_end, held_);
    held_ -= put.bytes;
    co_return put;
  }

 private:
  static thread_local std::vector<PipeEnds> spare_;
  PipeEnds ends_;
  std::size_t held_ = 0;
};

thread_local std::vector<PipeEnds> TransferPipe::spare_;

// splice() has no MSG_NOSIGNAL: a disconnected client must not end a process that has not set a disposition for SIGPIPE.
void ignoreBrokenPipes() {
  static const bool done = [] {
    struct sigaction now{};
    if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
    return true;
  }();
  static_cast<void>(done);
}

// Whether the kernel (or an emulation of it) cannot splice these sockets at all.
bool isRefusal(const error_code& error) {
  return error.category() == boost::system::system_category() && (error.value() == EINVAL || error.value() == ENOSYS);
}

}  // namespace

void setMaxPipes(int maximum) { max_pipes = maximum; }

awaitable<Spliced> splice(Stream& from, Stream& to, std::uint64_t count) {
  Spliced result;
  FdStream* const source = from.bareSocket();
  FdStream* const sink = to.bareSocket();
  if (source == nullptr || sink == nullptr || count < kSpliceBytes) co_return result;
  ignoreBrokenPipes();
  TransferPipe pipe;
  if (!pipe.isOpen()) co_return result;
  while (result.read.bytes < count) {
    const IoResult got =
        co_await pipe.fill(*source, static_cast<std::size_t>(std::min<std::uint64_t>(count - result.read.bytes, kPipeBytes)));
    if (got.error && !(result.read.bytes == 0 && isRefusal(got.error))) result.read.error = got.error;
    if (got.error) break;
    result.read.bytes += got.bytes;
    const IoResult put = co_await pipe.empty(*sink);
    result.written.bytes += put.bytes;
    result.written.error = put.error;
    if (put.error) break;
  }
  co_return result;
}

}  // namespace swarm::net
