// A listening unix socket, by Asio's acceptor.
#include "support/net/unix_listener.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/stream/fd_stream.h"

namespace swarm::net {
namespace {

class UnixListener final : public Listener {
 public:
  UnixListener(Executor executor, const std::filesystem::path& path) : acceptor_(std::move(executor), path.string()) {}

  awaitable<StreamPtr> accept() override {
    auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
    socket.native_non_blocking(true);
    co_return std::make_unique<FdStream>(acceptor_.get_executor(), socket.release());
  }
  void close() override { acceptor_.close(); }
  std::uint16_t port() const override { return 0; }

 private:
  asio::local::stream_protocol::acceptor acceptor_;
};

}  // namespace

std::unique_ptr<Listener> listenUnix(Executor executor, const std::filesystem::path& path) {
  return std::make_unique<UnixListener>(std::move(executor), path);
}

}  // namespace swarm::net
