// HttpServer: the accept loop and the set of its connections.
#include "net/http/http_server.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <unordered_set>

#include "async/io_wait.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "net/http/http_exchange.h"
#include "net/ip_address.h"

namespace swarm::net {

namespace {
constexpr std::chrono::seconds kWarnEvery{60};
}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(std::unique_ptr<Listener> its_listener, HttpHandler its_handler, HttpServerOptions its_options)
      : listener(std::move(its_listener)),
        handler(std::move(its_handler)),
        options(std::move(its_options)),
        port(listener->port()),
        table({options.maxConnections, options.maxPerAddress, options.maxHeadBytesPerAddress}) {}

  std::unique_ptr<Listener> listener;
  HttpHandler handler;
  HttpServerOptions options;
  std::uint16_t port;
  ConnectionTable table;
  std::unordered_set<std::shared_ptr<ServerConnection>> connections;
  std::optional<asio::steady_timer> connection_ended;
  SteadyTime warned{};
  bool wants_room = false;
  bool stopping = false;

  void serve(const Executor& executor, StreamPtr stream, const std::string& group) {
    auto connection = std::make_shared<ServerConnection>(std::move(stream), handler, options, table);
    table.add(*connection, group);
    connections.insert(connection);
    ServerConnection& served = *connection;
    auto on_end = [self = shared_from_this(), connection = std::move(connection)](std::exception_ptr error) {
      self->table.remove(*connection);
      self->connections.erase(connection);
      if (self->connection_ended) self->connection_ended->cancel();
      if (!error || self->stopping) return;
      try {
        std::rethrow_exception(error);
      } catch (...) {
        log::debug("a connection ended early", {{"error", describeCurrentException()}});
      }
    };
    asio::co_spawn(executor, served.serve(), asio::bind_cancellation_slot(served.slot(), std::move(on_end)));
  }

  awaitable<void> waitForEnd() {
    connection_ended->expires_at(SteadyTime::max());
    co_await async::waitTimer(*connection_ended);
  }

  std::string groupOf(const Stream& stream) const {
    if (options.maxPerAddress == 0) return {};
    const std::string address = stream.peerAddress();
    return options.isProxy && options.isProxy(address) ? std::string() : addressGroup(address);
  }

  /// False: the new connection cannot be kept.
  awaitable<bool> makeRoom(const std::string& group) {
    auto room = table.makeRoom(group);
    while (room == ConnectionTable::Room::Full && !stopping) {
      wants_room = true;
      co_await waitForEnd();
      wants_room = false;
      room = table.makeRoom(group);
    }
    co_return room == ConnectionTable::Room::Yes;
  }

  void warnOfFullAddress(const Stream& stream) {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now - warned < kWarnEvery) return;
    warned = now;
    log::warning("refused connections: their address has too many open",
                 {{"address", stream.peerAddress()}, {"limit", options.maxPerAddress}});
  }

  awaitable<void> acceptAll(Executor executor) {
    table.onWait([this] {
      if (wants_room) connection_ended->cancel();
    });
    while (!stopping) {
      StreamPtr stream = co_await listener->accept();
      const std::string group = groupOf(*stream);
      if (!co_await makeRoom(group)) {
        if (!stopping) warnOfFullAddress(*stream);
      } else if (!stopping) {
        serve(executor, std::move(stream), group);
      }
    }
  }

  void stop() {
    if (stopping) return;
    stopping = true;
    listener->close();
    if (connection_ended) connection_ended->cancel();
    for (const auto& connection : connections) {
      connection->stop();
      // Deferred: the caller may be this connection's own handler.
      if (connection_ended) asio::post(connection_ended->get_executor(), [connection] { connection->cancel(); });
    }
  }
};

HttpServer::HttpServer(std::unique_ptr<Listener> listener, HttpHandler handler, HttpServerOptions options)
    : impl_(std::make_shared<Impl>(std::move(listener), std::move(handler), std::move(options))) {}

HttpServer::~HttpServer() { impl_->stop(); }

awaitable<void> HttpServer::run() {
  const std::shared_ptr<Impl> impl = impl_;
  const Executor executor = co_await asio::this_coro::executor;
  impl->connection_ended.emplace(executor);
  std::exception_ptr failure;
  try {
    co_await impl->acceptAll(executor);
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) failure = std::current_exception();
  }
  impl->stop();
  // Handlers use objects that the caller of run() owns: they end first, even when run() itself was cancelled.
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!impl->connections.empty()) co_await impl->waitForEnd();
  co_await asio::this_coro::throw_if_cancelled(true);
  if (failure) std::rethrow_exception(failure);
}

void HttpServer::stop() { impl_->stop(); }

std::uint16_t HttpServer::port() const { return impl_->port; }

}  // namespace swarm::net
