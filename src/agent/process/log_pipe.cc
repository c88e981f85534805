// Log lines of children.
#include "agent/process/log_pipe.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/deadline.h"

namespace swarm::agent {
namespace {
constexpr std::size_t kLongestLine = 8192;
constexpr std::size_t kPipeWrite = 4096;  // a pipe that polls writable accepts this much without blocking (PIPE_BUF)
constexpr std::chrono::milliseconds kFullPause{50};

async::awaitable<void> writeWithoutBlocking(int target, std::string_view text) {
  while (!text.empty()) {
    pollfd ready{target, POLLOUT, 0};
    if (::poll(&ready, 1, 0) == 1) {
      // O_NONBLOCK would apply to a description that other processes share; instead, each write is small enough not to block.
      ssize_t written = ::write(target, text.data(), std::min(text.size(), kPipeWrite));
      if (written < 0 && errno != EINTR && errno != EAGAIN) co_return;
      if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    co_await async::sleepFor(kFullPause);
  }
}
}  // namespace

std::string LinePrefixer::feed(std::string_view bytes) {
  std::string lines;
  while (!bytes.empty()) {
    auto end = bytes.find('\n');
    auto room = kLongestLine - partial_.size();
    auto take = std::min({end, bytes.size(), room});
    partial_.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    bool ended = !bytes.empty() && bytes.front() == '\n';
    if (ended) bytes.remove_prefix(1);
    if (ended && partial_.empty()) lines += prefix_ + "\n";
    if (ended || partial_.size() >= kLongestLine) lines += finish();
  }
  return lines;
}

std::string LinePrefixer::finish() {
  if (partial_.empty()) return {};
  std::string line = prefix_ + partial_ + "\n";
  last_ = partial_;
  partial_.clear();
  return line;
}

async::awaitable<void> forwardLines(async::Executor executor, Descriptor source, std::string name, int target, std::string* last) {
  asio::posix::stream_descriptor output(executor, source.release());
  LinePrefixer lines(std::move(name));
  std::array<char, 4096> buffer{};
  for (;;) {
    boost::system::error_code error;
    auto bytes = co_await output.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    std::string text = error ? lines.finish() : lines.feed({buffer.data(), bytes});
    *last = lines.last();
    co_await writeWithoutBlocking(target, text);
    if (error) co_return;
  }
}

}  // namespace swarm::agent
