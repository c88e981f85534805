#include "ssh/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

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
  return "SSH-2.0-swarm\r\n" + wireNumber(1 + payload.size() + padding) + static_cast<char>(padding) + payload + std::string(padding, '\0');
}

class SshListener::Connection {
 public:
  Connection(SshListener& listener, const net::FdStream& client)
      : origin{.address = client.peerAddress(), .client = "SSH"},
        address(net::addressGroup(origin.address)),
        deadline(listener.clock_.steadyNow() + listener.options_.signInTime),
        process(listener.loop_, listener.options_.program, client.nativeHandle(), listener.options_.hostKey) {}

  LoginOrigin origin;
  std::string address;                   ///< that by which connections are counted
  std::optional<Principal> principal{};  ///< nothing: not signed in
  SteadyTime deadline;                   ///< of the sign-in
  std::size_t channels = 0;
  bool responded = true;  ///< the last ping
  bool over = false;
  ConnectionProcess process;
};

SshListener::SshListener(async::Executor loop, ListenerOptions options, Workspaces& workspaces, Auth& auth, const Clock& clock)
    : loop_(loop),
      options_(std::move(options)),
      workspaces_(workspaces),
      auth_(auth),
      clock_(clock),
      throttle_(clock, "connections and refused keys of SSH"),
      listener_(net::listenTcp(loop, options_.address)),
      tasks_(loop) {}

SshListener::~SshListener() = default;

void SshListener::start() { tasks_.spawn("ssh listener", acceptAll()); }

async::awaitable<void> SshListener::close() {
  listener_->close();
  co_await tasks_.stop();
  connections_.clear();
}

async::awaitable<void> SshListener::acceptAll() {
  for (;;) admit(co_await listener_->accept());
}

void SshListener::admit(net::StreamPtr client) {
  net::FdStream* socket = client->bareSocket();
  if (!socket) return;
  try {
    const std::string address = net::addressGroup(client->peerAddress());
    throttle_.count(address);
    if (!makeRoom(address)) return;
    keepAlive(socket->nativeHandle());
    connections_.push_back(std::make_shared<Connection>(*this, *socket));
    tasks_.spawn("ssh connection", serve(connections_.back()));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::TooManyRequests) log::warning("an SSH connection was not accepted", {{"error", error.message()}});
  } catch (const std::exception& error) {  // must not end the listener
    log::warning("an SSH connection was not accepted", {{"error", error.what()}});
  }
}

/// Of connections that are not signed in, the oldest gives way: who has a key signs in within a moment. At the limit of all, that is the
/// oldest of the address with the most, so that one address cannot close the connections of the others.
bool SshListener::makeRoom(const std::string& address) {
  std::map<std::string, std::size_t> all, strangers;
  std::size_t open = 0, unknown = 0;
  for (const ConnectionPtr& one : connections_) {
    if (one->over) continue;
    ++open, ++all[one->address];
    if (!one->principal) ++unknown, ++strangers[one->address];
  }
  const auto evict = [&](const std::string& of) {
    const auto oldest =
        std::ranges::find_if(connections_, [&](const ConnectionPtr& one) { return !one->over && !one->principal && one->address == of; });
    if (oldest == connections_.end()) return;
    (*oldest)->over = true;
    (*oldest)->process.end();
    --open, --all[of], --unknown, --strangers[of];
  };
  if (strangers[address] >= options_.maxStrangersPerAddress) evict(address);
  if (unknown >= options_.maxStrangers)
    evict(std::ranges::max_element(strangers, {}, [](const auto& group) { return group.second; })->first);
  const bool has_room = open < options_.maxConnections && all[address] < options_.maxPerAddress;
  if (!has_room) log::warning("too many SSH connections", {{"address", address}});
  return has_room;
}

async::awaitable<void> SshListener::serve(ConnectionPtr connection) {
  Connection& one = *connection;
  struct Departure {
    SshListener& listener;
    ConnectionPtr connection;
    ~Departure() {
      connection->over = true;
      connection->process.end();
      listener.connections_.remove(connection);
    }
  } departure{*this, connection};
  auto listen = [](SshListener& self, ConnectionPtr to) -> async::awaitable<void> {
    Message message;
    while (co_await to->process.receive(message))
      if (!co_await self.handle(to, message)) co_return;
  };
  static constexpr auto ping = [](ConnectionPtr to) -> async::awaitable<void> { co_await to->process.send({.kind = Message::Kind::Ping}); };
  auto watch = [](SshListener& self, ConnectionPtr on) -> async::awaitable<void> {
    SteadyTime next_ping = self.clock_.steadyNow() + self.options_.ping;
    for (std::uint64_t epoch = 0;;) {
      co_await async::sleepFor(self.options_.check);
      const SteadyTime now = self.clock_.steadyNow();
      if (on->principal ? self.clock_.now() >= on->principal->expiresAt : now >= on->deadline) co_return;
      if (const std::uint64_t current = self.auth_.revocationEpoch(); on->principal && current != epoch) {
        epoch = current;
        if (!currentPrincipal(self.auth_, *on->principal)) co_return;
      }
      if (now < next_ping) continue;
      if (!on->responded) co_return;
      next_ping = now + 2 * self.options_.ping;
      on->responded = false;
      self.tasks_.spawn("ssh ping", ping(on));  // a process that does not read must not delay the checks
    }
  };
  co_await async::race(listen(*this, connection), watch(*this, connection));
  if (one.principal) log::info("SSH connection ended", {{"user", one.principal->user}, {"address", one.origin.address}});
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
        co_await one.process.send({.kind = Message::Kind::Failed, .number = message.number});
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
  co_await connection.process.send({.kind = accepted ? Message::Kind::Accept : Message::Kind::Refuse});
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
    co_await connection->process.send({.kind = Message::Kind::Failed, .number = number});
    co_return;
  }
  net::FdStream ours(loop_, sockets[0]);
  {
    const Descriptor theirs(sockets[1]);
    co_await connection->process.send({.kind = Message::Kind::Opened, .number = number}, theirs.get());
  }
  if (explains) {
    co_await refuse(ours, refusalOfSsh(printable(opened.error().message(), kMaxReason)));
    co_return;
  }
  co_await async::race(net::pump(ours, *opened->stream), untilForbidden(opened->mayGoOn, options_.check));
}

}  // namespace swarm::ssh
