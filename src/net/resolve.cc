// Name resolution on Asio's resolver thread, abandoned at the deadline.
#include "net/resolve.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstring>
#include <memory>

#include "async/io_wait.h"
#include "base/error.h"
#include "base/text/format.h"

namespace swarm::net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// getaddrinfo cannot be cancelled: an abandoned lookup ends later and finds this state instead of the coroutine.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), finished(executor) {}
  tcp::resolver resolver;
  asio::steady_timer finished;
  bool done = false;
  boost::system::error_code error;
  std::vector<SocketAddress> addresses;
};

}  // namespace

asio::awaitable<std::vector<SocketAddress>> resolveName(std::string host, std::uint16_t port, Deadline deadline) {
  auto lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor);
  lookup->finished.expires_at(deadline.time());
  auto on_resolved = [lookup](boost::system::error_code error, const tcp::resolver::results_type& results) {
    lookup->done = true;
    lookup->error = error;
    for (const auto& entry : results) {
      SocketAddress address;
      address.size = static_cast<socklen_t>(entry.endpoint().size());
      std::memcpy(&address.storage, entry.endpoint().data(), address.size);
      lookup->addresses.push_back(address);
    }
    lookup->finished.cancel();
  };
  lookup->resolver.async_resolve(host, std::to_string(port), tcp::resolver::numeric_service, on_resolved);
  boost::system::error_code waited = co_await async::waitTimer(lookup->finished);
  if (!lookup->done && waited) throw boost::system::system_error(asio::error::operation_aborted);
  if (!lookup->done) throw Error(ErrorCode::DeadlineExceeded, format("Timed out resolving the host name {}.", host));
  if (lookup->error || lookup->addresses.empty()) {
    throw Error(ErrorCode::Unavailable, format("Cannot resolve the host name {}: {}.", host, lookup->error.message()));
  }
  co_return std::move(lookup->addresses);
}

}  // namespace swarm::net
