// Exec over a WebSocket with the agent's frames; port forwarding and SSH over tunnels.
#include "client/sessions.h"

#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "model/codec/codec.h"
#include "net/websocket/websocket.h"
#include "protocol/agent.h"
#include "protocol/exec_frames.h"
#include "protocol/ssh.h"

namespace swarm::client {
namespace {

using agent::ExecFrame;

class RemoteExec final : public ExecSession {
 public:
  RemoteExec(Connection& connection, std::unique_ptr<net::WebSocket> socket)
      : connection_(connection), socket_(connection, std::move(socket)) {}

  Output read(const std::stop_token& stop) override {
    for (;;) {
      auto message = connection_.run(socket_->read(), stop);
      if (!message) throw Error(ErrorCode::Unavailable, "The connection to the command was closed before it ended.");
      if (message->text || message->data.empty()) continue;
      auto frame = static_cast<ExecFrame>(message->data[0]);
      std::string payload = message->data.substr(1);
      switch (frame) {
        case ExecFrame::Stdout:
          return {Kind::Stdout, std::move(payload), 0};
        case ExecFrame::Stderr:
          return {Kind::Stderr, std::move(payload), 0};
        case ExecFrame::Exit:
          return {Kind::Exit, "", static_cast<int>(integerAt(parseJson(payload), "exitCode", 1))};
        case ExecFrame::Failed: {
          const std::string reason = stringAt(parseJson(payload), "message");
          throw Error(ErrorCode::Unprocessable, reason.empty() ? "The command could not be started." : reason);
        }
        default:
          continue;
      }
    }
  }

  void write(std::string data) override { send(ExecFrame::Stdin, data); }
  void closeStdin() override { send(ExecFrame::StdinEnd, {}); }
  void resize(int columns, int rows) override {
    send(ExecFrame::Resize, boost::json::serialize(boost::json::object{{"columns", columns}, {"rows", rows}}));
  }
  void signal(std::string name) override { send(ExecFrame::Signal, boost::json::serialize(boost::json::object{{"signal", name}})); }

 private:
  void send(ExecFrame frame, std::string_view payload) {
    std::string data = agent::encodeFrame(frame, payload);
    // Only one write may be pending, and several threads may call.
    std::lock_guard lock(write_mutex_);
    bool sent = connection_.run([](net::WebSocket& socket, std::string bytes) -> async::awaitable<bool> {
      co_return co_await socket.write(bytes);
    }(*socket_, std::move(data)));
    if (!sent) throw Error(ErrorCode::Unavailable, "The connection to the command was lost.");
  }

  Connection& connection_;
  OnLoop<net::WebSocket> socket_;
  std::mutex write_mutex_;
};

async::awaitable<std::unique_ptr<net::WebSocket>> connectExec(Connection& connection, std::string target, std::string first) {
  Deadline deadline = Deadline::after(connection.config().timeout);
  net::StreamPtr stream = co_await connection.connector()(deadline);
  auto socket = co_await net::openWebSocket(std::move(stream), connection.hostHeader(), target, connection.authorization(), deadline);
  co_await socket->writeText(first);
  co_return socket;
}

/// Shared by the accept loop and its connections, on the thread of the loop.
struct ForwardState {
  Connection& connection;
  std::string target;
  std::unique_ptr<net::Listener> listener;
};

constexpr std::size_t kSshPiece = 128 * 1024;

async::awaitable<std::unique_ptr<net::HttpExchange>> openTunnel(Connection& connection, std::string target, net::Headers headers = {}) {
  net::HttpRequest request;
  request.target = std::move(target);
  request.headers = connection.authorization();
  request.headers.insert(request.headers.end(), headers.begin(), headers.end());
  request.headers.push_back({"Connection", "Upgrade"});
  request.headers.push_back({"Upgrade", std::string(agent::kTunnelProtocol)});
  Deadline deadline = Deadline::after(connection.config().timeout);
  auto exchange = co_await connection.http().open(std::move(request), deadline);
  if (exchange->upgraded()) co_return exchange;
  throw errorFromResponse(exchange->status(), exchange->headers(), co_await readRest(*exchange, deadline));
}

async::awaitable<void> serveForwarded(std::shared_ptr<ForwardState> state, net::StreamPtr local) {
  try {
    net::StreamPtr remote = (co_await openTunnel(state->connection, state->target))->takeStream();
    co_await net::pump(*local, *remote);
  } catch (const std::exception&) {
    log::warning("A forwarded connection failed", {{"reason", describeCurrentException()}});
  }
}

async::awaitable<void> acceptForwarded(std::shared_ptr<ForwardState> state) {
  try {
    for (;;) {
      net::StreamPtr local = co_await state->listener->accept();
      boost::asio::co_spawn(state->connection.executor(), serveForwarded(state, std::move(local)), boost::asio::detached);
    }
  } catch (const std::exception&) {
    // close() ends the loop
  }
}

class PortForward final : public Forward {
 public:
  PortForward(Connection& connection, std::shared_ptr<ForwardState> state)
      : connection_(connection), state_(std::move(state)), port_(state_->listener->port()) {}
  ~PortForward() override {
    connection_.run([](std::shared_ptr<ForwardState> state) -> async::awaitable<void> {
      state->listener->close();
      co_return;
    }(state_));
  }
  std::uint16_t localPort() const override { return port_; }

 private:
  Connection& connection_;
  std::shared_ptr<ForwardState> state_;
  std::uint16_t port_;
};

struct SshFacts {
  std::string hostKey;
  std::string instanceId;
};

class RemoteSsh final : public SshConnection {
 public:
  RemoteSsh(Connection& connection, net::StreamPtr stream, SshFacts facts)
      : connection_(connection), facts_(std::move(facts)), stream_(connection, std::move(stream)) {}

  const std::string& hostKey() const override { return facts_.hostKey; }
  const std::string& instanceId() const override { return facts_.instanceId; }

  std::string read() override {
    return connection_.run([](net::Stream& stream) -> async::awaitable<std::string> {
      std::string piece(kSshPiece, '\0');
      const net::IoResult got = co_await stream.readSome(boost::asio::buffer(piece));
      piece.resize(got.error ? 0 : got.bytes);
      co_return piece;
    }(*stream_));
  }
  bool write(std::string data) override {
    return connection_.run([](net::Stream& stream, std::string bytes) -> async::awaitable<bool> {
      co_return !(co_await stream.writeAll(bytes)).error;
    }(*stream_, std::move(data)));
  }
  void closeWrite() override {
    connection_.run([](net::Stream& stream) -> async::awaitable<void> { co_await stream.shutdownWrite(); }(*stream_));
  }
  void close() override {
    connection_.run([](net::Stream& stream) -> async::awaitable<void> {
      stream.close();
      co_return;
    }(*stream_));
  }

 private:
  Connection& connection_;
  SshFacts facts_;
  OnLoop<net::Stream> stream_;
};

}  // namespace

std::unique_ptr<SshConnection> openSshConnection(Connection& connection, const std::string& ref, const std::string& public_key) {
  auto exchange = connection.run(openTunnel(connection, instancePath(ref, "/ssh"), {{std::string(agent::kSshKeyHeader), public_key}}));
  const auto host_key = agent::readSshPublicKey(net::findHeader(exchange->headers(), agent::kSshHostKeyHeader));
  SshFacts facts{host_key.value_or(""), std::string(net::findHeader(exchange->headers(), agent::kInstanceHeader))};
  net::StreamPtr stream =
      connection.run([](net::HttpExchange& upgraded) -> async::awaitable<net::StreamPtr> { co_return upgraded.takeStream(); }(*exchange));
  auto ssh = std::make_unique<RemoteSsh>(connection, std::move(stream), std::move(facts));
  OnLoop<net::HttpExchange> ended(connection, std::move(exchange));
  if (host_key) return ssh;
  throw Error(ErrorCode::UpstreamFailed, "The server sent an invalid response: it names no SSH host key.");
}

std::unique_ptr<ExecSession> openExecSession(Connection& connection, const std::string& ref, const ExecOptions& options) {
  boost::json::object first{{"command", toJson(options.command)},
                            {"env", toJson(options.env)},
                            {"cwd", options.cwd},
                            {"user", options.user.empty() ? "coder" : options.user},
                            {"tty", options.tty},
                            {"columns", options.columns},
                            {"rows", options.rows}};
  return std::make_unique<RemoteExec>(connection,
                                      connection.run(connectExec(connection, instancePath(ref, "/exec"), boost::json::serialize(first))));
}

std::unique_ptr<Forward> openForward(Connection& connection, const std::string& ref, std::uint16_t remote_port, net::HostPort local) {
  auto state = std::make_shared<ForwardState>(ForwardState{connection, instancePath(ref, format("/ports/{}", remote_port)), nullptr});
  connection.run([](std::shared_ptr<ForwardState> made, net::HostPort address) -> async::awaitable<void> {
    auto executor = co_await boost::asio::this_coro::executor;
    made->listener = net::listenTcp(executor, address);
    boost::asio::co_spawn(executor, acceptForwarded(made), boost::asio::detached);
  }(state, std::move(local)));
  return std::make_unique<PortForward>(connection, std::move(state));
}

}  // namespace swarm::client
