// The agent's tunnels.
#include "agent/server/tunnel.h"

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/monitor/listeners.h"
#include "agent/server/responses.h"
#include "async/attempt.h"
#include "async/awaitable.h"
#include "async/io_wait.h"
#include "base/text/format.h"
#include "base/text/number.h"
#include "net/connect.h"
#include "net/stream/forwarding_stream.h"
#include "protocol/agent.h"
#include "protocol/ssh.h"

namespace swarm::agent {
namespace {
constexpr std::chrono::seconds kConnectPatience{5};

/// Passes everything through, and passes the bytes read to a detector, with SSH those written too, since a program that prints is in use;
/// once muted, it drops the client's data.
class WatchedStream final : public net::ForwardingStream {
 public:
  WatchedStream(net::StreamPtr inner, Activity& activity, ActivityDetector::Traffic traffic)
      : ForwardingStream(std::move(inner)),
        activity_(activity),
        input_(traffic),
        closed_(inner_->executor(), asio::steady_timer::time_point::max()) {
    if (traffic == ActivityDetector::Traffic::Ssh) output_.emplace(traffic);
  }

  void mute() { muted_ = true; }

  async::awaitable<net::IoResult> readSome(asio::mutable_buffer buffer) override {
    auto got = co_await inner_->readSome(buffer);
    if (muted_ && !got.error) {
      co_await async::waitTimer(closed_);
      co_return net::IoResult{asio::error::operation_aborted, 0};
    }
    if (got.bytes > 0) note(input_, asio::const_buffer(buffer.data(), got.bytes));
    co_return got;
  }
  async::awaitable<net::IoResult> writeAll(std::span<const asio::const_buffer> buffers) override {
    for (const asio::const_buffer& buffer : buffers)
      if (output_) note(*output_, buffer);
    return inner_->writeAll(buffers);
  }
  void close() override {
    closed_.cancel();
    inner_->close();
  }
  void abort() override {
    closed_.cancel();
    inner_->abort();
  }

 private:
  void note(ActivityDetector& detector, asio::const_buffer bytes) {
    if (detector.feed({static_cast<const char*>(bytes.data()), bytes.size()}, activity_.clock().steadyNow())) activity_.touch();
  }

  Activity& activity_;
  ActivityDetector input_;
  std::optional<ActivityDetector> output_;
  asio::steady_timer closed_;
  bool muted_ = false;
};

bool requestsTunnel(const net::Exchange& exchange) { return net::equalsIgnoreCase(exchange.head().upgrade, kTunnelProtocol); }

async::awaitable<void> requireUpgrade(net::Exchange& exchange) {
  co_await respondReason(exchange, 426, format("This path needs \"Upgrade: {}\".", kTunnelProtocol));
}

/// Null if no address has a listener.
async::awaitable<net::StreamPtr> connectAny(std::vector<std::string> hosts, std::uint16_t port) {
  for (const std::string& host : hosts) {
    auto stream = co_await async::attempt(net::connectTcp(net::HostPort{host, port}, Deadline::after(kConnectPatience)));
    if (stream) co_return std::move(*stream);
  }
  co_return nullptr;
}

async::awaitable<void> carry(net::StreamPtr target, Activity& activity, Guest& guest, ActivityDetector::Traffic traffic,
                             net::Exchange& exchange, net::Headers headers = {}) {
  if (guest.notified()) co_return co_await respondReason(exchange, 503, guest.reason());
  Activity::Connection connection(activity);
  activity.touch();
  headers.push_back({"Connection", "Upgrade"});
  headers.push_back({"Upgrade", std::string(kTunnelProtocol)});
  auto client = std::make_unique<WatchedStream>(co_await exchange.upgrade(std::move(headers)), activity, traffic);
  guest.whenNotified([&client] { client->mute(); });
  guest.whenDismissed([&client, &target] {
    client->close();
    target->close();
  });
  co_await net::pump(*client, *target);
}

}  // namespace

async::awaitable<void> handleVscodeTunnel(const Service& service, const std::filesystem::path& socket, Activity& activity, Hold& hold,
                                          net::Exchange& exchange) {
  if (!requestsTunnel(exchange)) co_return co_await requireUpgrade(exchange);
  if (!service.ready()) co_return co_await respondReason(exchange, 503, service.reason());
  Guest guest(hold);
  auto target = co_await async::attempt(net::connectUnix(socket, Deadline::after(kConnectPatience)));
  // It has died since the last probe; the supervisor will notice shortly.
  if (!target) co_return co_await respondReason(exchange, 503, "VS Code is not responding at the moment.");
  co_await carry(std::move(*target), activity, guest, ActivityDetector::Traffic::Vscode, exchange);
}

async::awaitable<void> handlePortTunnel(std::string digits, Activity& activity, Hold& hold, net::Exchange& exchange) {
  const std::uint16_t port = parseNumber<std::uint16_t>(digits).value_or(0);
  if (port == 0) co_return co_await respondReason(exchange, 400, "The path must end with a port number from 1 to 65535.");
  if (port == kPort) co_return co_await respondReason(exchange, 400, "The agent does not tunnel to itself.");
  if (!requestsTunnel(exchange)) co_return co_await requireUpgrade(exchange);
  Guest guest(hold);
  net::StreamPtr target = co_await connectAny({"127.0.0.1", "::1"}, port);
  // A program may have bound the container's own address only.
  if (!target) target = co_await connectAny(listenersOf(port), port);
  if (!target) co_return co_await respondReason(exchange, 502, format("No program is listening on port {} in this workspace.", port));
  co_await carry(std::move(target), activity, guest, ActivityDetector::Traffic::Port, exchange);
}

async::awaitable<void> handleSshTunnel(SshServer& server, Activity& activity, Hold& hold, net::Exchange& exchange) {
  if (!requestsTunnel(exchange)) co_return co_await requireUpgrade(exchange);
  std::string keys;
  for (const net::HeaderView& header : exchange.head().headers.all()) {
    const auto line = net::equalsIgnoreCase(header.name, kSshKeyHeader)         ? readSshPublicKey(header.value)
                      : net::equalsIgnoreCase(header.name, kSshAuthorityHeader) ? readSshAuthority(header.value)
                                                                                : std::nullopt;
    if (line) keys += (keys.empty() ? "" : "\n") + *line;
  }
  if (keys.empty())
    co_return co_await respondReason(exchange, 400, format("The header {} must have a public key of the client.", kSshKeyHeader));
  Guest guest(hold);
  SshServer::Connection connection = co_await server.open(std::move(keys), guest);
  co_await carry(std::move(connection.stream), activity, guest, ActivityDetector::Traffic::Ssh, exchange,
                 {{std::string(kSshHostKeyHeader), connection.hostKey}});
}

}  // namespace swarm::agent
