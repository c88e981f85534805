#include "ssh/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "async/attempt.h"
#include "async/deadline.h"
#include "auth/accounts/ssh_keys.h"
#include "auth/certificates/ssh_certificates.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "net/ip_address.h"
#include "net/stream/fd_stream.h"
#include "protocol/ssh_wire.h"
#include "ssh/connection_process.h"

namespace swarm::ssh {
namespace {

constexpr std::string_view kProtocol = "SSH-2.0-";
constexpr std::size_t kMaxIdentification = 255;  // RFC 4253, section 4.2
constexpr std::size_t kMaxReason = 400;
constexpr std::size_t kMaxFingerprint = 64;
constexpr std::chrono::seconds kReasonPatience{10};

/// A client that vanished is noticed, although nothing is sent.
void keepAlive(int socket) {
  const int on = 1, idle = 60, every = 20, count = 3;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

/// Sends the reason of a refusal, and ends after the client: at the end of what it receives, "ssh -W" ends at once, and the ssh behind it
/// reports that it could not write, and not what it could read.
async::awaitable<void> refuse(net::Stream& client, std::string text) {
  client.setDeadline(std::chrono::steady_clock::now() + kReasonPatience);
  if ((co_await client.writeAll(text)).error) co_return;
  std::array<char, 4096> unread{};
  while (!(co_await client.readSome(boost::asio::buffer(unread))).error) {
  }
}

/// Waits for the client's first line, which stays in the socket. Without it, a client costs the server nothing but a descriptor.
async::awaitable<bool> isIdentified(net::FdStream& client) {
  std::array<char, kMaxIdentification> bytes;
  std::size_t seen = 0;
  while (seen < bytes.size()) {
    const net::IoResult got = co_await client.peekMore(boost::asio::buffer(bytes), seen);
    if (got.error) co_return false;
    seen = got.bytes;
    const std::string_view text(bytes.data(), seen);
    if (!text.starts_with(kProtocol.substr(0, seen))) co_return false;
    if (text.contains('\n')) co_return true;
  }
  co_return false;
}

async::awaitable<void> untilForbidden(const std::function<bool()>& may_go_on, std::chrono::milliseconds interval) {
  do co_await async::sleepFor(interval);
  while (may_go_on());
}

}  // namespace

std::string refusalOfSsh(std::string_view reason) {
  constexpr std::size_t block = 8, least = 4;
  constexpr char disconnect = 1, by_application = 11;
  const std::string payload = disconnect + wireNumber(by_application) + wireText(reason) + wireText("");
  const std::size_t padding = block - (payload.size() + 5 + least) % block + least;
  return wireNumber(1 + payload.size() + padding) + static_cast<char>(padding) + payload + std::string(padding, '\0');
}

class SshListener::Connection final : public Admission::Member {
 public:
  Connection(SshListener& listener, net::StreamPtr stream, std::string group)
      : listener(listener),
        origin{.address = stream->peerAddress(), .client = "SSH"},
        address(std::move(group)),
        client(std::move(stream)),
        deadline(listener.clock_.steadyNow() + listener.options_.identificationTime) {}

  void start() override {
    hasTurn = true;
    turn.notifyAll();
  }
  void giveWay() override {
    listener.warnings_.warn("SSH connections without a sign-in were closed for others", address, listener.clock_.steadyNow());
    end();
  }
  void end() {
    over = true;
    client->close();
    if (process) process->end();
    turn.notifyAll();
  }

  SshListener& listener;
  LoginOrigin origin;
  std::string address;  ///< that by which connections are counted
  net::StreamPtr client;
  async::Notifier turn;
  bool hasTurn = false;
  std::optional<ConnectionProcess> process{};
  std::optional<Principal> principal{};  ///< nothing: not signed in
  SteadyTime deadline;                   ///< of the client's next step, until it is signed in
  SteadyTime nextPing{};
  std::size_t channels = 0;
  bool responded = true;  ///< the last ping
  bool over = false;
};

SshListener::SshListener(async::Executor loop, ListenerOptions options, Workspaces& workspaces, Auth& auth, const Clock& clock)
    : loop_(loop),
      options_(std::move(options)),
      workspaces_(workspaces),
      auth_(auth),
      clock_(clock),
      throttle_(clock, "connections and refused keys of SSH"),
      listener_(net::listenTcp(loop, options_.address)),
      tasks_(loop),
      admission_(options_.limits) {}

SshListener::~SshListener() = default;

void SshListener::start() {
  tasks_.spawn("ssh listener", acceptAll());
  tasks_.spawn("ssh turns", giveTurns());
}

async::awaitable<void> SshListener::close() {
  listener_->close();
  co_await tasks_.stop();
}

async::awaitable<void> SshListener::acceptAll() {
  for (;;) admit(co_await listener_->accept());
}

void SshListener::admit(net::StreamPtr client) {
  if (!client->bareSocket()) return;
  try {
    std::string address = net::addressGroup(client->peerAddress());
    throttle_.count(address);
    keepAlive(client->bareSocket()->nativeHandle());
    auto connection = std::make_shared<Connection>(*this, std::move(client), address);
    admission_.enter(*connection, address, clock_.steadyNow());
    ++connections_;
    tasks_.spawn("ssh connection", serve(std::move(connection)));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::TooManyRequests) log::warning("an SSH connection was not accepted", {{"error", error.message()}});
  } catch (const std::exception& error) {  // must not end the listener
    log::warning("an SSH connection was not accepted", {{"error", error.what()}});
  }
}

async::awaitable<void> SshListener::giveTurns() {
  for (;;) {
    const std::uint64_t seen = admission_changed_.version();
    try {
      admission_.schedule(clock_.steadyNow());
    } catch (const std::exception& error) {  // must not end the listener
      log::warning("an SSH connection was not started", {{"error", error.what()}});
    }
    co_await admission_changed_.wait(seen, admission_.hasReady() ? Deadline::after(options_.check) : Deadline::never());
  }
}

async::awaitable<void> SshListener::serve(ConnectionPtr connection) {
  struct Departure {
    SshListener& listener;
    ConnectionPtr connection;
    ~Departure() {
      connection->end();
      listener.admission_.leave(*connection);
      listener.admission_changed_.notifyAll();
      --listener.connections_;
    }
  } departure{*this, connection};
  co_await async::race(converse(connection), watch(connection));
  if (connection->principal)
    log::info("SSH connection ended", {{"user", connection->principal->user}, {"address", connection->origin.address}});
}

/// Until the server or the process ends the connection.
async::awaitable<void> SshListener::converse(ConnectionPtr connection) {
  Connection& one = *connection;
  if ((co_await one.client->writeAll(kIdentification)).error || !co_await isIdentified(*one.client->bareSocket())) co_return;
  if (!co_await awaitTurn(one)) co_return;
  one.process.emplace(loop_, options_.program, one.client->bareSocket()->nativeHandle(), options_.hostKey);
  one.client->close();
  one.nextPing = clock_.steadyNow() + options_.ping;
  Message message;
  while (co_await one.process->receive(message))
    if (!co_await handle(connection, message)) co_return;
}

async::awaitable<bool> SshListener::awaitTurn(Connection& connection) {
  connection.deadline = clock_.steadyNow() + options_.signInTime;
  if (!admission_.makeReady(connection)) {
    warnings_.warn("too many SSH connections", connection.address, clock_.steadyNow());
    co_await refuse(*connection.client, refusalOfSsh(format("The server has {} connections, or {} of this address: the limit. Close one "
                                                            "and try again.",
                                                            options_.limits.connections, options_.limits.perAddress)));
    co_return false;
  }
  admission_changed_.notifyAll();
  while (!connection.hasTurn && !connection.over) co_await connection.turn.wait(connection.turn.version(), Deadline::never());
  connection.deadline = clock_.steadyNow() + options_.signInTime;
  co_return !connection.over;
}

/// Until the time of the client is over, its user may not go on, or the process does not respond.
async::awaitable<void> SshListener::watch(ConnectionPtr connection) {
  static constexpr auto ping = [](ConnectionPtr to) -> async::awaitable<void> {
    co_await to->process->send({.kind = Message::Kind::Ping});
  };
  Connection& one = *connection;
  for (std::uint64_t epoch = 0;;) {
    co_await async::sleepFor(options_.check);
    const SteadyTime now = clock_.steadyNow();
    if (one.principal ? clock_.now() >= one.principal->expiresAt : now >= one.deadline) co_return;
    if (const std::uint64_t current = auth_.revocationEpoch(); one.principal && current != epoch) {
      epoch = current;
      if (!currentPrincipal(auth_, *one.principal)) co_return;
    }
    if (!one.process || now < one.nextPing) continue;
    if (!one.responded) co_return;
    one.nextPing = now + 2 * options_.ping;
    one.responded = false;
    tasks_.spawn("ssh ping", ping(connection));  // a process that does not read must not delay the checks
  }
}

/// False: the connection ends.
async::awaitable<bool> SshListener::handle(const ConnectionPtr& connection, const Message& message) {
  Connection& one = *connection;
  switch (message.kind) {
    case Message::Kind::Pong:
      one.responded = true;
      co_return true;
    case Message::Kind::Probe:
      // Does not depend on the name, so that it says nothing about names.
      co_return co_await decide(one, !one.principal && auth_.sshKeys().isRegistered(message.first));
    case Message::Kind::ProbeCertificate: {
      const bool is_new = !one.principal;
      co_return co_await decide(one, is_new && co_await auth_.sshCertificates().isAccepted(message.first, message.second, one.origin));
    }
    case Message::Kind::SignIn:
    case Message::Kind::SignInByCertificate:
      co_return co_await signIn(one, message);
    case Message::Kind::Open:
      if (!one.principal) co_return false;
      if (one.channels >= kMaxChannels) {
        co_await one.process->send({.kind = Message::Kind::Failed, .number = message.number});
        co_return true;
      }
      ++one.channels;
      tasks_.spawn("ssh channel", carry(connection, message.number, message.first, message.port));
      co_return true;
    default:
      co_return false;
  }
}

async::awaitable<bool> SshListener::signIn(Connection& connection, const Message& message) {
  if (connection.principal) co_return false;
  const bool is_certificate = message.kind == Message::Kind::SignInByCertificate;
  const std::string_view credential = is_certificate ? "SSH certificate" : "SSH key";
  auto signed_in = co_await async::attempt(is_certificate ? auth_.sshCertificates().signIn(message.first, message.second, connection.origin)
                                                          : auth_.sshKeys().signIn(message.first, message.second, connection.origin));
  if (!signed_in) log::warning("a sign-in to the SSH listener could not be recorded", {{"error", signed_in.error().message()}});
  if (signed_in) connection.principal = std::move(*signed_in);
  if (connection.principal) {
    admission_.signIn(connection, clock_.steadyNow());
    admission_changed_.notifyAll();
  }
  log::info(connection.principal ? "signed in to the SSH listener" : "sign-in to the SSH listener failed",
            {{"user", printable(message.first, kMaxUserName)},
             {"address", connection.origin.address},
             {"by", std::string(credential)},
             {"fingerprint", is_certificate ? agent::sshFingerprint(message.second) : printable(message.second, kMaxFingerprint)}});
  co_return co_await decide(connection, connection.principal.has_value());
}

async::awaitable<bool> SshListener::decide(Connection& connection, bool accepted) {
  if (!accepted) {
    try {
      throttle_.count(connection.address);
    } catch (const Error&) {
      co_return false;
    }
  }
  co_await connection.process->send({.kind = accepted ? Message::Kind::Accept : Message::Kind::Refuse});
  co_return true;
}

async::awaitable<void> SshListener::carry(ConnectionPtr connection, std::uint32_t number, std::string name, std::uint16_t port) {
  struct Place {
    Connection& connection;
    ~Place() { --connection.channels; }
  } place{*connection};
  auto opened = co_await async::attempt(workspaces_.open(*connection->principal, connection->origin, name, port));
  if (connection->over) co_return;
  // The sshd of a workspace is missing: say why, in its place.
  const bool explains = !opened && port == kSshPort;
  int sockets[2] = {-1, -1};
  if ((!opened && !explains) || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets) != 0) {
    co_await connection->process->send({.kind = Message::Kind::Failed, .number = number});
    co_return;
  }
  net::FdStream ours(loop_, sockets[0]);
  {
    const Descriptor theirs(sockets[1]);
    co_await connection->process->send({.kind = Message::Kind::Opened, .number = number}, theirs.get());
  }
  if (explains) {
    co_await refuse(ours, std::string(kIdentification) + refusalOfSsh(printable(opened.error().message(), kMaxReason)));
    co_return;
  }
  co_await async::race(net::pump(ours, *opened->stream), untilForbidden(opened->mayGoOn, options_.check));
}

}  // namespace swarm::ssh
