// Reads and writes of both ends.
#include "agent/files/blocking_pipe.h"

#include <errno.h>
#include <fcntl.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "base/error.h"
#include "transfer/tree/storages.h"

namespace swarm::agent {
namespace asio = boost::asio;
namespace {
constexpr int kBlockingPipeSize = 1024 * 1024;
constexpr std::size_t kBlockingPiece = 256 * 1024;
}  // namespace

std::pair<Descriptor, Descriptor> threadPipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(ErrorCode::OutOfResources, "Cannot create a pipe: too many open files in the workspace.");
  ::fcntl(ends[0], F_SETPIPE_SZ, kBlockingPipeSize);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

LoopPipe::LoopPipe(const async::Executor& executor, Direction direction) : loop(executor) {
  auto [reading, writing] = threadPipe();
  Descriptor& its = direction == Direction::ToLoop ? reading : writing;
  thread = std::move(direction == Direction::ToLoop ? writing : reading);
  loop.assign(its.release());
}

async::awaitable<bool> writePipe(boost::asio::posix::stream_descriptor& input, std::string_view bytes) {
  boost::system::error_code error;
  co_await asio::async_write(input, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

void writeBlocking(const Descriptor& pipe, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(pipe.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) throw transfer::Stopped{};
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

std::string readBlocking(const Descriptor& pipe) {
  std::string bytes(kBlockingPiece, '\0');
  ssize_t got = 0;
  do {
    got = ::read(pipe.get(), bytes.data(), bytes.size());
  } while (got < 0 && errno == EINTR);
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

}  // namespace swarm::agent
