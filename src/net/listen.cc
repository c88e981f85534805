// Listening sockets.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstring>

#include "async/io_wait.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"
#include "net/connect.h"
#include "net/resolve.h"
#include "net/stream/fd_stream.h"

namespace swarm::net {
namespace {

constexpr int kBacklog = 4096;
// Clients that connect faster than they are accepted must not keep the loop from the connections that it has.
constexpr unsigned kAcceptedAtOnce = 16;
constexpr std::chrono::milliseconds kPauseWithoutDescriptors{50};

class FdListener final : public Listener {
 public:
  FdListener(Executor executor, int fd, std::uint16_t port) : executor_(executor), descriptor_(executor, fd), port_(port) {}
  ~FdListener() override { FdListener::close(); }

  awaitable<StreamPtr> accept() override {
    while (descriptor_.is_open()) {
      const int fd = ::accept4(descriptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        auto stream = std::make_unique<FdStream>(executor_, fd);
        disableDelay(fd);
        warned_ = false;
        if (++burst_ >= kAcceptedAtOnce) {
          burst_ = 0;
          co_await async::yieldLoop();
        }
        co_return stream;
      }
      error_code error;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        burst_ = 0;
        error = co_await async::waitReadable(descriptor_);
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        error = co_await waitForDescriptors(errno);
      } else if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) {
        error = error_code(errno, boost::system::system_category());
      }
      // Anything else (ECONNABORTED, EPROTO, …) concerns only the connection that was lost.
      if (error && descriptor_.is_open()) throw boost::system::system_error(error);
    }
    throw boost::system::system_error(asio::error::operation_aborted);
  }

  void close() override {
    error_code ignored;
    descriptor_.close(ignored);
  }

  std::uint16_t port() const override { return port_; }

 private:
  awaitable<error_code> waitForDescriptors(int reason) {
    if (!warned_) log::warning("cannot accept connections at the moment; will retry", {{"port", port_}, {"reason", std::strerror(reason)}});
    warned_ = true;
    asio::steady_timer pause(executor_, kPauseWithoutDescriptors);
    co_return co_await async::waitTimer(pause);
  }

  Executor executor_;
  asio::posix::stream_descriptor descriptor_;
  std::uint16_t port_;
  unsigned burst_ = 0;  // accepted without yielding
  bool warned_ = false;
};

[[noreturn]] void listenFailed(const std::string& where, int reason, int fd) {
  if (fd >= 0) ::close(fd);
  std::string hint;
  if (reason == EADDRINUSE) hint = " Another program is listening there: stop it, or choose another port.";
  throw Error(ErrorCode::Unavailable, format("Cannot listen on {}: {}.{}", where, std::strerror(reason), hint));
}

std::uint16_t localPort(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  // The port has the same offset in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

}  // namespace

std::unique_ptr<Listener> listenTcp(Executor executor, const HostPort& address, Listener::Sharing sharing) {
  const std::vector<SocketAddress> candidates = literalAddresses(address.host, address.port);
  if (candidates.empty()) {
    throw Error(ErrorCode::InvalidArgument, format("Cannot listen on {}: give an IP address or localhost.", toString(address)));
  }
  const SocketAddress& local = candidates.front();
  const int fd = ::socket(local.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) listenFailed(toString(address), errno, fd);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (sharing == Listener::Sharing::ReusePort) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&local.storage), local.size) != 0) listenFailed(toString(address), errno, fd);
  if (::listen(fd, kBacklog) != 0) listenFailed(toString(address), errno, fd);
  return std::make_unique<FdListener>(std::move(executor), fd, localPort(fd));
}

}  // namespace swarm::net
