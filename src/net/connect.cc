// Addresses, and plain connections: TCP to each address of a name in turn, unix sockets.
#include "net/connect.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <cstring>

#include "async/io_wait.h"
#include "base/error.h"
#include "base/text/format.h"
#include "base/text/number.h"
#include "net/http/http.h"
#include "net/resolve.h"
#include "net/stream/fd_stream.h"

namespace swarm::net {
namespace {

[[noreturn]] void badAddress(std::string_view text) {
  throw Error(ErrorCode::InvalidArgument,
              format("\"{}\" is not an address: expected HOST:PORT, such as 127.0.0.1:7420 or [::1]:80.", text));
}

template <typename Address>
SocketAddress toSocketAddress(const Address& address) {
  SocketAddress result;
  result.size = sizeof address;
  std::memcpy(&result.storage, &address, sizeof address);
  return result;
}

}  // namespace

HostPort parseHostPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) badAddress(text);
  std::string_view host = text.substr(0, colon);
  const auto port = parseNumber<std::uint16_t>(text.substr(colon + 1));
  if (!port) badAddress(text);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.contains(':')) {
    badAddress(text);
  }
  if (host.empty() || host.find_first_of(" \t\r\n/@[]") != std::string_view::npos) badAddress(text);
  return {std::string(host), *port};
}

std::string toString(const HostPort& address) {
  return address.host.contains(':') ? format("[{}]:{}", address.host, address.port) : format("{}:{}", address.host, address.port);
}

std::vector<SocketAddress> literalAddresses(const std::string& host, std::uint16_t port) {
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) == 1) return {toSocketAddress(four)};
  if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) return {toSocketAddress(six)};
  constexpr std::string_view kSuffix = ".localhost";
  const bool local =
      equalsIgnoreCase(host, "localhost") ||
      (host.size() > kSuffix.size() && equalsIgnoreCase(std::string_view(host).substr(host.size() - kSuffix.size()), kSuffix));
  if (!local) return {};
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  six.sin6_addr = in6addr_loopback;
  return {toSocketAddress(four), toSocketAddress(six)};
}

namespace {

// A socket while it connects; becomes a stream on success.
class Connecting {
 public:
  Connecting(Executor executor, int family)
      : executor_(std::move(executor)),
        descriptor_(executor_),
        fd_(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
        socket_error_(errno) {}
  ~Connecting() {
    if (fd_ >= 0 && !descriptor_.is_open()) ::close(fd_);
  }
  Connecting(const Connecting&) = delete;
  Connecting& operator=(const Connecting&) = delete;

  // 0, or an errno value: ETIMEDOUT after the deadline, ECANCELED when the coroutine was cancelled.
  awaitable<int> connect(const SocketAddress& address, Deadline deadline) {
    if (fd_ < 0) co_return socket_error_;
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0) co_return 0;
    if (errno != EINPROGRESS) co_return errno;
    descriptor_.assign(fd_);
    bool expired = false;
    DeadlineTimer timer(executor_, [this, &expired] {
      expired = true;
      error_code ignored;
      descriptor_.cancel(ignored);
    });
    timer.set(deadline.time());
    error_code error = co_await async::waitWritable(descriptor_);
    if (expired) co_return ETIMEDOUT;
    if (error) co_return ECANCELED;
    int result = 0;
    socklen_t size = sizeof result;
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &result, &size) != 0) co_return errno;
    co_return result;
  }

  StreamPtr finish() {
    if (descriptor_.is_open()) descriptor_.release();
    disableDelay(fd_);
    return std::make_unique<FdStream>(executor_, std::exchange(fd_, -1));
  }

 private:
  Executor executor_;
  asio::posix::stream_descriptor descriptor_;
  int fd_;
  int socket_error_;  // set when fd_ is -1
};

[[noreturn]] void connectFailed(const std::string& where, int reason) {
  if (reason == ECANCELED) throw boost::system::system_error(asio::error::operation_aborted);
  if (reason == ETIMEDOUT) throw Error(ErrorCode::DeadlineExceeded, format("Timed out connecting to {}.", where));
  throw Error(ErrorCode::Unavailable, format("Cannot connect to {}: {}.", where, std::strerror(reason)));
}

}  // namespace

awaitable<StreamPtr> connectTcp(HostPort address, Deadline deadline) {
  const Executor executor = co_await asio::this_coro::executor;
  std::vector<SocketAddress> candidates = literalAddresses(address.host, address.port);
  if (candidates.empty()) candidates = co_await resolveName(address.host, address.port, deadline);
  int reason = EHOSTUNREACH;
  for (const SocketAddress& candidate : candidates) {
    if (deadline.hasPassed()) connectFailed(toString(address), ETIMEDOUT);
    Connecting connecting(executor, candidate.storage.ss_family);
    const int result = co_await connecting.connect(candidate, deadline);
    if (result == 0) {
      StreamPtr stream = connecting.finish();
      co_return stream;
    }
    if (result == ECANCELED) connectFailed(toString(address), result);
    // The first address's reason is more useful than "no IPv6 here".
    if (reason == EHOSTUNREACH) reason = result;
  }
  connectFailed(toString(address), reason);
}

awaitable<StreamPtr> connectUnix(std::filesystem::path path, Deadline deadline) {
  const Executor executor = co_await asio::this_coro::executor;
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.empty() || text.size() >= sizeof local.sun_path) {
    throw Error(ErrorCode::Unavailable,
                format("Cannot connect to {}: the path of a unix socket must have 1 to {} bytes.", text, sizeof local.sun_path - 1));
  }
  std::memcpy(local.sun_path, text.data(), text.size());
  const SocketAddress address = toSocketAddress(local);
  while (true) {
    Connecting connecting(executor, AF_UNIX);
    const int result = co_await connecting.connect(address, deadline);
    if (result == 0) co_return connecting.finish();
    if (result != EAGAIN) connectFailed(text, result);
    // EAGAIN on a unix socket: the listener's backlog is full, and no event reports when it has room.
    if (deadline.hasPassed()) connectFailed(text, ETIMEDOUT);
    asio::steady_timer pause(executor, std::chrono::milliseconds(5));
    if (co_await async::waitTimer(pause)) connectFailed(text, ECANCELED);
  }
}

}  // namespace swarm::net
