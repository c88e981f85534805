// The listener against the processes of its connections, which may do anything once a client has taken one over, and its limits.
#include "ssh/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <stdexcept>

#include "auth/accounts/accounts.h"
#include "auth/accounts/ssh_keys.h"
#include "auth/certificates/revoked_keys.h"
#include "base/diagnostics/log.h"
#include "net/connect.h"
#include "net/stream/fd_stream.h"
#include "protocol/ssh.h"
#include "store/sqlite/sqlite_store.h"
#include "support/auth/low_cost.h"
#include "support/auth/ssh_certificates.h"
#include "support/coroutine_test.h"
#include "support/manual_clock.h"
#include "support/temp_dir.h"
#include "unit/auth/ssh_key_line.h"

namespace swarm::ssh {
namespace {

using test::awaitable;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kClient = "SSH-2.0-test\r\n";

/// In place of swarm-ssh: Python, with the two sockets, and how messages are packed. It greets the client when it runs.
constexpr std::string_view kProgram = R"(#!/usr/bin/python3
import socket, struct, time
client, server = socket.socket(fileno=3), socket.socket(fileno=4)
client.setblocking(True); server.setblocking(True)
START, ACCEPT, REFUSE, OPENED, FAILED, PING, PROBE, SIGN_IN, OPEN, PONG, PROBE_CERTIFICATE, SIGN_IN_BY_CERTIFICATE = range(12)
def send(kind, first=b"", second=b"", number=0, port=0):
    server.send(struct.pack("<BIHH", kind, number, port, len(first)) + first + second)
def receive(*kinds):
    while True:
        data = server.recv(9000)
        if data[0] in kinds:
            return data[0]
def stay():
    time.sleep(1000)
receive(START)
assert client.recv(14) == b"SSH-2.0-test\r\n"
client.send(b"!")
)";

class SshListenerTest : public ::testing::Test {
 protected:
  SshListenerTest()
      : store_(openSqliteStore(folder_ / "data")), auth_(makeAuth(*store_, clock_, {.passwordCost = test::kLowCost, .ssh = makeTrust()})) {
    loop_.run(auth_->initialise());
    loop_.run(auth_->putUser("ann", Secret(), Role::user));
    const auto key = *agent::parseSshPublicKey(test::sshKeyLine("laptop"));
    key_ = loop_.run(
        auth_->sshKeys().add({.name = "k", .owner = "ann", .type = key.type, .fingerprint = key.fingerprint, .publicKey = key.line}));
    options_.address = {"127.0.0.1", 0};
    options_.program = folder_ / "program";
    options_.hostKey = Secret("host key");
    options_.check = std::chrono::milliseconds(5);
  }
  ~SshListenerTest() override {
    if (listener_) stop();
  }
  SshTrust makeTrust() const {
    std::ofstream(folder_ / "ca.pub") << test::sshKeyOf("ca").line;
    const std::ofstream none(folder_ / "revoked");
    return {folder_ / "ca.pub", folder_ / "revoked"};
  }
  void start(std::string_view code) { start(code, clock_); }
  void start(std::string_view code, const Clock& clock) {
    std::ofstream(options_.program) << kProgram << code;
    ::chmod(options_.program.c_str(), 0700);
    listener_ = std::make_unique<SshListener>(loop_.executor(), options_, workspaces_, *auth_, clock);
    listener_->start();
  }
  /// The client has not sent anything.
  net::StreamPtr connectSilently() {
    auto client = loop_.run(net::connectTcp({"127.0.0.1", listener_->port()}, Deadline::after(std::chrono::seconds(10))));
    for (const char expected : kIdentification) EXPECT_EQ(readByte(*client), expected);
    return client;
  }
  void identify(net::Stream& client) {
    loop_.run(client.writeAll(kClient));
    EXPECT_EQ(readByte(client), '!');
  }
  net::StreamPtr connect() {
    auto client = connectSilently();
    identify(*client);
    return client;
  }
  net::StreamPtr connectFrom(const char* address) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in from{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}}, to = from;
    ::inet_pton(AF_INET, address, &from.sin_addr);
    ::inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    to.sin_port = htons(listener_->port());
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from), 0);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    auto client = std::make_unique<net::FdStream>(loop_.executor(), fd);
    for (const char expected : kIdentification) EXPECT_EQ(readByte(*client), expected);
    identify(*client);
    return client;
  }
  char readByte(net::Stream& client) {
    return loop_.run([](net::Stream& from) -> awaitable<char> {
      char byte = 0;
      co_await from.readSome(boost::asio::buffer(&byte, 1));
      co_return byte;
    }(client));
  }
  void stop() {
    loop_.run(listener_->close());
    listener_.reset();
  }
  /// Until the server has closed it; what it sent.
  std::string readToEnd(net::Stream& client) {
    return loop_.run([](net::Stream& from) -> awaitable<std::string> {
      std::string all;
      std::array<char, 4096> piece{};
      for (;;) {
        const auto got = co_await from.readSome(boost::asio::buffer(piece));
        if (got.error || got.bytes == 0) co_return all;
        all.append(piece.data(), got.bytes);
      }
    }(client));
  }
  void waitForConnections(std::size_t count) {
    loop_.runUntil([&] { return listener_->connections() == count; });
  }

  test::TempDir folder_;
  ManualClock clock_;
  test::TestLoop loop_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Auth> auth_;
  SshKey key_;
  RouteSource routes_;
  Workspaces workspaces_{{.routes = routes_,
                          .auth = *auth_,
                          .audit = nullptr,
                          .findAgent = [](std::string) -> awaitable<agent::AgentTarget> { throw Error(ErrorCode::Internal, "not used"); },
                          .budget = std::make_shared<OpenBudget>()}};
  ListenerOptions options_;
  std::unique_ptr<SshListener> listener_;
};

TEST_F(SshListenerTest, endsAConnectionThatDoesNotSignInInTime) {
  start("send(PROBE, b'SHA256:unknown'); receive(REFUSE); stay()");
  const auto client = connect();
  EXPECT_EQ(listener_->connections(), 1U);
  clock_.advance(options_.signInTime);
  EXPECT_EQ(readToEnd(*client), "");
  waitForConnections(0);
}

TEST_F(SshListenerTest, endsAProcessThatDoesNotRespond) {
  options_.signInTime = std::chrono::hours(1);
  start("stay()");
  const auto client = connect();
  loop_.runUntil([&] {
    clock_.advance(options_.ping);
    return listener_->connections() == 0;
  });
  EXPECT_EQ(readToEnd(*client), "");
}

TEST_F(SshListenerTest, aProcessDoesNotWriteToTheLogOfTheServer) {
  start("import os; client.send(os.readlink('/proc/self/fd/2').encode() + b'!'); client.shutdown(socket.SHUT_RDWR)");
  EXPECT_EQ(readToEnd(*connect()), "/dev/null!");
}

TEST_F(SshListenerTest, theLogSaysWhyAProcessEndedOfItsOwn) {
  std::vector<std::string> lines;
  log::setTap([&](const std::string& line) { lines.push_back(line); });
  for (const char* end : {"os.kill(os.getpid(), 31)", "os.kill(os.getpid(), 11)", "os._exit(4)", "os._exit(0)"}) {
    start(std::string("import os; client.shutdown(socket.SHUT_RDWR); ") + end);
    EXPECT_EQ(readToEnd(*connect()), "");
    waitForConnections(0);
    stop();
  }
  log::setTap({});
  EXPECT_THAT(lines, ElementsAre(HasSubstr("a system call that it may not make"), HasSubstr("signal 11"), HasSubstr("exit code 4")));
}

TEST_F(SshListenerTest, keepsAProcessThatResponds) {
  options_.signInTime = std::chrono::hours(1);
  start("while True: receive(PING); send(PONG); client.send(b'p')");
  const auto client = connect();
  for (int i = 0; i < 5; ++i) {
    clock_.advance(2 * options_.ping);
    ASSERT_EQ(readByte(*client), 'p');
  }
}

TEST_F(SshListenerTest, startsNoProcessBeforeTheClientHasIdentifiedItself) {
  start("stay()");
  const std::string_view whole = kClient;
  for (const std::string_view sent : {std::string_view(), whole.substr(0, 3), whole.substr(0, whole.size() - 1)}) {
    const auto client = connectSilently();
    loop_.run(client->writeAll(sent));
    clock_.advance(options_.identificationTime);
    EXPECT_EQ(readToEnd(*client), "");
    waitForConnections(0);
  }
  for (const std::string& sent : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("SSH-1.5-old\r\n"), std::string("\n"),
                                  "SSH-2.0-" + std::string(300, 'x') + "\r\n"}) {
    const auto client = connectSilently();
    loop_.run(client->writeAll(sent));
    EXPECT_EQ(readToEnd(*client), "") << sent;
    waitForConnections(0);
  }
}

TEST_F(SshListenerTest, anIdentificationMayArriveInPieces) {
  start("stay()");
  const auto client = connectSilently();
  for (const char& byte : kClient) loop_.run(client->writeAll(std::string_view(&byte, 1)));
  EXPECT_EQ(readByte(*client), '!');
}

TEST_F(SshListenerTest, aProcessThatHasHadItsTurnGivesWayToAClientThatWaits) {
  options_.limits.unauthenticatedPerAddress = 1;
  options_.signInTime = std::chrono::hours(1);
  start("while True: receive(PING); send(PONG)");
  const auto first = connect();
  const auto second = connectSilently();
  loop_.run(second->writeAll(kClient));
  clock_.advance(options_.limits.turn);
  EXPECT_EQ(readByte(*second), '!');
  EXPECT_EQ(readToEnd(*first), "");
  waitForConnections(1);
}

TEST_F(SshListenerTest, aClientThatWaitsInVainIsClosed) {
  options_.limits.unauthenticatedPerAddress = 1;
  options_.limits.turn = std::chrono::hours(1);
  start("while True: receive(PING); send(PONG)");
  const auto first = connect();
  const auto second = connectSilently();
  loop_.run(second->writeAll(kClient));
  loop_.runUntil([&] {
    clock_.advance(options_.signInTime);
    return listener_->connections() == 0;
  });
  EXPECT_EQ(readToEnd(*second), "") << "without a process";
}

TEST_F(SshListenerTest, reportsTheLimitOfConnectionsToItsClient) {
  options_.limits.perAddress = 1;
  start("send(SIGN_IN, b'ann', b'" + key_.fingerprint + "'); receive(ACCEPT); client.send(b'i')\nwhile True: receive(PING); send(PONG)");
  const auto first = connect();
  EXPECT_EQ(readByte(*first), 'i');
  const auto second = connectSilently();
  loop_.run(second->writeAll(kClient));
  loop_.run(second->shutdownWrite());
  EXPECT_THAT(readToEnd(*second), HasSubstr("Close one and try again."));
}

TEST_F(SshListenerTest, acceptsConnectionsAfterAnyException) {
  struct Broken final : Clock {
    SystemTime now() const override { return {}; }
    SteadyTime steadyNow() const override { return fails ? throw std::runtime_error("no time") : SteadyTime(std::chrono::hours(1)); }
    bool fails = true;
  } clock;
  start("stay()", clock);
  EXPECT_EQ(readToEnd(*loop_.run(net::connectTcp({"127.0.0.1", listener_->port()}, Deadline::after(std::chrono::seconds(10))))), "");
  clock.fails = false;
  const auto client = connect();
  EXPECT_EQ(listener_->connections(), 1U);
  stop();
}

TEST_F(SshListenerTest, endsAProcessThatDemandsWhatItsClientMayNotHave) {
  for (const char* code :
       {"send(OPEN, b'web1', port=80); stay()", "send(SIGN_IN, b'bob', KEY); receive(REFUSE); send(OPEN, b'web1', port=80); stay()",
        "send(SIGN_IN, b'ann', KEY); receive(ACCEPT); send(SIGN_IN, b'ann', KEY); stay()", "send(START); stay()", "send(ACCEPT); stay()",
        "server.send(b'x'); stay()", "server.send(b'\\xff' * 8000); stay()"}) {
    SCOPED_TRACE(code);
    start("KEY = b'" + key_.fingerprint + "'\n" + code);
    EXPECT_EQ(readToEnd(*connect()), "");
    waitForConnections(0);
    stop();
  }
}

// What did not fit into the socket between the two processes used to end the connection.
TEST_F(SshListenerTest, keepsAConnectionWhoseProcessReadsLater) {
  start(
      "import threading\n"
      "send(SIGN_IN, b'ann', b'" +
      key_.fingerprint +
      "'); receive(ACCEPT)\n"
      "sender = threading.Thread(target=lambda: [send(OPEN, b'absent', number=n, port=80) for n in range(5000)])\n"
      "sender.start(); sender.join(0.2)\n"
      "for number in range(5000): receive(FAILED)\n"
      "client.send(b'f'); stay()");
  const auto client = connect();
  EXPECT_EQ(readByte(*client), 'f');
  EXPECT_EQ(listener_->connections(), 1U);
}

// A channel that was closed directly after the reason lost it when the client sent first, as ssh does.
TEST_F(SshListenerTest, givesTheReasonOfARefusalToAClientThatSendsFirst) {
  start("send(SIGN_IN, b'ann', b'" + key_.fingerprint +
        "'); receive(ACCEPT); send(OPEN, b'absent', number=1, port=22)\n"
        "_, files, _, _ = socket.recv_fds(server, 9000, 1)\n"
        "channel = socket.socket(fileno=files[0]); channel.setblocking(True)\n"
        "client.send(b'o'); client.recv(1); channel.send(b'SSH-2.0-client\\r\\n')\n"
        "text = b''\n"
        "while b'absent' not in text: text += channel.recv(4096)\n"
        "channel.shutdown(socket.SHUT_WR)\n"
        "while piece := channel.recv(4096): text += piece\n"
        "client.sendall(text + b'the end'); client.shutdown(socket.SHUT_RDWR)");
  const auto client = connect();
  EXPECT_EQ(readByte(*client), 'o');
  loop_.run(client->writeAll("now"));
  const std::string text = readToEnd(*client);
  EXPECT_TRUE(text.contains("There is no workspace \"absent\"") && text.ends_with("the end")) << text;
}

TEST_F(SshListenerTest, endsASignedInConnectionWithItsKeyOrItsUser) {
  for (const bool removes_key : {false, true}) {
    start("send(SIGN_IN, b'ann', b'" + key_.fingerprint + "'); receive(ACCEPT); client.send(b'i')\nwhile True: receive(PING); send(PONG)");
    const auto client = connect();
    EXPECT_EQ(readByte(*client), 'i');
    clock_.advance(options_.signInTime);
    if (removes_key) {
      loop_.run(auth_->sshKeys().remove(key_.id));
    } else {
      loop_.run(auth_->accounts().setDisabled("ann", true));
    }
    EXPECT_EQ(readToEnd(*client), "");
    waitForConnections(0);
    stop();
    loop_.run(auth_->accounts().setDisabled("ann", false));
  }
}

TEST_F(SshListenerTest, endsASignedInConnectionWithItsCertificate) {
  for (const bool expires : {false, true}) {
    SCOPED_TRACE(expires);
    const auto end = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::seconds>(clock_.now() + std::chrono::hours(1)).time_since_epoch().count());
    start("CERTIFICATE = bytes.fromhex('" + toHex(test::SshCertificateText{.validBefore = end}.bytes()) + R"(')
send(PROBE_CERTIFICATE, b'bob', CERTIFICATE); receive(REFUSE)
send(PROBE_CERTIFICATE, b'ann', CERTIFICATE); receive(ACCEPT)
send(SIGN_IN_BY_CERTIFICATE, b'ann', CERTIFICATE); receive(ACCEPT); client.send(b'i')
while True: receive(PING); send(PONG); client.send(b'p'))");
    const auto client = connect();
    EXPECT_EQ(readByte(*client), 'i');
    clock_.advance(std::chrono::minutes(59));
    EXPECT_EQ(readByte(*client), 'p') << "longer than a sign-in may take";
    if (expires) {
      clock_.advance(std::chrono::minutes(1));
    } else {
      std::ofstream(folder_ / "revoked") << "serial: 7\n";
      auth_->revokedKeys().refresh();
    }
    EXPECT_EQ(readToEnd(*client), "");
    waitForConnections(0);
    stop();
    std::ofstream(folder_ / "revoked") << "# none\n";
    auth_->revokedKeys().refresh();
  }
}

TEST_F(SshListenerTest, endsAProcessThatSignsInTwice) {
  const std::string prefix = "CERTIFICATE = bytes.fromhex('" + toHex(test::SshCertificateText{}.bytes()) + "')\n";
  for (const char* code :
       {"send(SIGN_IN_BY_CERTIFICATE, b'ann', CERTIFICATE); receive(ACCEPT); send(SIGN_IN_BY_CERTIFICATE, b'ann', CERTIFICATE); stay()",
        "send(SIGN_IN_BY_CERTIFICATE, b'bob', CERTIFICATE); receive(REFUSE); send(OPEN, b'web1', port=80); stay()",
        "send(SIGN_IN_BY_CERTIFICATE, b'ann', b'x' * 8000); receive(REFUSE); send(OPEN, b'web1', port=80); stay()"}) {
    SCOPED_TRACE(code);
    start(prefix + code);
    EXPECT_EQ(readToEnd(*connect()), "");
    waitForConnections(0);
    stop();
  }
}

}  // namespace
}  // namespace swarm::ssh
