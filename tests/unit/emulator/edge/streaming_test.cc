// Bodies as they arrive, early and incomplete responses, upgrades, TLS, and raw TCP.
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/deadline.h"
#include "base/text/format.h"
#include "emulator/edge/self_signed.h"
#include "net/websocket/websocket.h"
#include "support/temp_dir.h"
#include "unit/emulator/edge/fixture.h"

namespace swarm::emulator {
namespace {

using test::readExactly;
using test::readToEnd;
using test::readUntil;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Responds with chunks that a test releases one by one.
struct Gate {
  explicit Gate(async::Executor executor) : opened(executor, SteadyTime::max()) {}
  boost::asio::steady_timer opened;
  bool open = false;
  void pass() {
    open = true;
    opened.cancel();
  }
  awaitable<void> wait() {
    while (!open) {
      boost::system::error_code ignored;
      co_await opened.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
  }
};

TEST_F(EdgeTest, anAnswerArrivesPieceByPiece) {
  Gate gate(loop.executor());
  startMachine([&](net::StreamPtr stream, int) -> awaitable<void> {
    co_await readUntil(*stream, "\r\n\r\n");
    co_await stream->writeAll("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    co_await gate.wait();
    co_await stream->writeAll("3\r\ntwo\r\n0\r\n\r\n");
  });
  auto stream = connect();
  send(*stream, get("app.fly.localhost"));
  EXPECT_THAT(loop.run(readUntil(*stream, "one")), HasSubstr("3\r\none"));
  gate.pass();
  EXPECT_THAT(loop.run(readToEnd(*stream)), EndsWith("3\r\ntwo\r\n0\r\n\r\n"));
}

TEST_F(EdgeTest, aRequestsBodyArrivesPieceByPiece) {
  std::string first;
  std::string rest;
  startMachine([&](net::StreamPtr stream, int) -> awaitable<void> {
    first = co_await readUntil(*stream, "one\r\n");
    rest = co_await readUntil(*stream, "0\r\n\r\n");
    co_await stream->writeAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  auto stream = connect();
  send(*stream, "POST / HTTP/1.1\r\nHost: app.fly.localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\none\r\n");
  loop.runUntil([&] { return !first.empty(); });
  EXPECT_THAT(first, HasSubstr("Transfer-Encoding: chunked\r\n"));
  send(*stream, "3\r\ntwo\r\n0\r\n\r\n");
  EXPECT_THAT(loop.run(readToEnd(*stream)), EndsWith("\r\n\r\nok"));
  EXPECT_EQ(rest, "3\r\ntwo\r\n0\r\n\r\n");
}

TEST_F(EdgeTest, aLargeBodyPassesWhole) {
  const std::string body(3'000'000, 'b');
  std::size_t received = 0;
  startMachine([&](net::StreamPtr stream, int) -> awaitable<void> {
    std::string head = co_await readUntil(*stream, "\r\n\r\n");
    std::size_t ahead = head.size() - head.find("\r\n\r\n") - 4;
    received = ahead + (co_await readExactly(*stream, body.size() - ahead)).size();
    co_await stream->writeAll(format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.size()) + body);
  });
  std::string request = format("PUT / HTTP/1.1\r\nHost: app.fly.localhost\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.size());
  std::string response = exchange(request + body);
  EXPECT_EQ(received, body.size());
  EXPECT_TRUE(response.ends_with(body));
}

TEST_F(EdgeTest, anAnswerThatComesBeforeTheBodyIsReadArrives) {
  startMachine([](net::StreamPtr stream, int) -> awaitable<void> {
    co_await readUntil(*stream, "\r\n\r\n");
    co_await stream->writeAll("HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\n\r\nno!");
  });
  auto stream = connect();
  send(*stream, "POST / HTTP/1.1\r\nHost: app.fly.localhost\r\nContent-Length: 100\r\n\r\nbegin");
  EXPECT_THAT(loop.run(readUntil(*stream, "no!")), StartsWith("HTTP/1.1 413 "));
}

TEST_F(EdgeTest, anAnswerThatBreaksOffBreaksOffForTheClientToo) {
  startResponding("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  std::string request = "GET / HTTP/1.1\r\nHost: app.fly.localhost\r\n\r\n";  // keep-alive: exchange() reads until the connection is closed
  EXPECT_THAT(exchange(request), EndsWith("half"));
}

TEST_F(EdgeTest, aConnectionServesSeveralRequestsAndHeadKeepsItsLength) {
  startResponding("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  auto stream = connect();
  std::string request = "HEAD / HTTP/1.1\r\nHost: app.fly.localhost\r\n\r\n";
  send(*stream, request);
  EXPECT_THAT(loop.run(readUntil(*stream, "\r\n\r\n")), HasSubstr("Content-Length: 5\r\n"));
  send(*stream, request);
  EXPECT_THAT(loop.run(readUntil(*stream, "\r\n\r\n")), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(requests.size(), 2U);
}

TEST_F(EdgeTest, anUpgradeBecomesAByteStreamBothWays) {
  startMachine([&](net::StreamPtr stream, int) -> awaitable<void> {
    requests.push_back(co_await readUntil(*stream, "\r\n\r\n"));
    co_await stream->writeAll(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: swarm-tunnel\r\nX-Kept: yes\r\n\r\nahead");
    std::string received = co_await readExactly(*stream, 5);
    co_await stream->writeAll("received " + received);
    co_await stream->shutdownWrite();
    co_await readToEnd(*stream);
  });
  auto stream = connect();
  send(*stream, "GET /tunnel HTTP/1.1\r\nHost: app.fly.localhost\r\nConnection: Upgrade\r\nUpgrade: swarm-tunnel\r\n\r\n");
  std::string head = loop.run(readUntil(*stream, "ahead"));
  EXPECT_THAT(head, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(head, HasSubstr("X-Kept: yes\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("Upgrade: swarm-tunnel\r\n"));
  send(*stream, "bytes");
  EXPECT_EQ(loop.run(readToEnd(*stream)), "received bytes");
}

TEST_F(EdgeTest, anUpgradeThatIsRefusedIsAnOrdinaryAnswer) {
  startResponding("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\nnot ready");
  std::string response =
      exchange("GET / HTTP/1.1\r\nHost: app.fly.localhost\r\nConnection: close, Upgrade\r\nUpgrade: swarm-tunnel\r\n\r\n");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(response, EndsWith("not ready"));
}

TEST_F(EdgeTest, aWebSocketWorks) {
  net::HttpServer application(net::listenTcp(loop.executor(), {"127.0.0.1", 0}), [](net::Exchange& exchange) -> awaitable<void> {
    auto socket = co_await net::acceptWebSocket(exchange);
    while (auto message = co_await socket->read()) co_await socket->writeText("echo " + message->data);
  });
  loop.spawn(application.run());
  machine_address = {"127.0.0.1", application.port()};
  startEdge();
  auto echo = loop.run([](net::HostPort edge) -> awaitable<std::string> {
    auto stream = co_await net::connectTcp(edge, soon());
    auto socket = co_await net::openWebSocket(std::move(stream), "app.fly.localhost", "/socket", {}, soon());
    co_await socket->writeText("hello");
    auto message = co_await socket->read();
    co_await socket->close(1000, "done");
    co_return message ? message->data : "closed";
  }(edgeAddress()));
  EXPECT_EQ(echo, "echo hello");
  application.stop();
}

TEST_F(EdgeTest, tlsEndsAtTheEdge) {
  test::TempDir folder;
  CertificateFiles files = makeSelfSigned(folder.path(), {"*.fly.localhost"});
  EXPECT_EQ(std::filesystem::status(files.key).permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(makeSelfSigned(folder.path(), {"other"}).certificate, files.certificate) << "an existing one is reused";
  startEdge(net::makeTlsServer(files.certificate, files.key));
  startResponding("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  net::TlsClientOptions client;
  client.ca = files.certificate;
  client.serverName = "app.fly.localhost";
  auto stream = loop.run(net::connectTls(edgeAddress(), net::makeTlsClient(client), soon()));
  send(*stream, get("app.fly.localhost"));
  EXPECT_THAT(loop.run(readToEnd(*stream)), EndsWith("hello"));
  EXPECT_THAT(requests.at(0), HasSubstr("X-Forwarded-Proto: https\r\n"));
}

TEST_F(EdgeTest, anEdgeThatStopsInTheMiddleOfAnUploadAndAnUpgradeEndsThemAll) {
  int ended = 0;
  startMachine([&](net::StreamPtr stream, int) -> awaitable<void> {
    std::string head = co_await readUntil(*stream, "\r\n\r\n");
    if (head.contains("Upgrade: x"))
      co_await stream->writeAll("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    requests.push_back(head);
    co_await readToEnd(*stream);
    ++ended;
  });
  auto upload = connect();
  send(*upload, "POST / HTTP/1.1\r\nHost: app.fly.localhost\r\nContent-Length: 1000000\r\n\r\nbegin");
  auto tunnel = connect();
  send(*tunnel, "GET / HTTP/1.1\r\nHost: app.fly.localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  loop.run(readUntil(*tunnel, "\r\n\r\n"));
  loop.runUntil([&] { return requests.size() == 2; });
  server->stop();
  EXPECT_EQ(loop.run(readToEnd(*upload)), "");
  EXPECT_EQ(loop.run(readToEnd(*tunnel)), "");
  loop.runUntil([&] { return ended == 2; });
}

class EdgeListenersTest : public EdgeTest {
 protected:
  EdgeListenersTest() : listeners(loop.executor(), routes(), "127.0.0.1") {}
  net::HostPort addressOf(std::size_t index) {
    boost::json::object state;
    listeners.addTo(state);
    return net::parseHostPort(std::string(state.at("tcp").as_array().at(index).at("address").as_string()));
  }
  std::size_t count() {
    boost::json::object state;
    listeners.addTo(state);
    return state.at("tcp").as_array().size();
  }
  EdgeListeners listeners;
};

TEST_F(EdgeListenersTest, aRawServiceHasAPortOfItsOwn) {
  startMachine([](net::StreamPtr stream, int) -> awaitable<void> {
    std::string received = co_await readExactly(*stream, 4);
    co_await stream->writeAll("echo " + received);
  });
  services = {{"app", 5432, "tcp", {}}, {"app", 443, "tcp", {"tls", "http"}}, {"app", 53, "udp", {}}, {"app", 8443, "tcp", {"tls"}}};
  listeners.refresh();
  listeners.refresh();
  ASSERT_EQ(count(), 1U);
  auto stream = loop.run(net::connectTcp(addressOf(0), soon()));
  send(*stream, "ping");
  EXPECT_EQ(loop.run(readToEnd(*stream)), "echo ping");
  EXPECT_EQ(queries.at(0).app, "app");
  EXPECT_EQ(queries.at(0).externalPort, 5432);
}

TEST_F(EdgeListenersTest, tlsEndsAtTheEdgeIfTheServiceIsConfiguredSo) {
  test::TempDir folder;
  CertificateFiles files = makeSelfSigned(folder.path(), {"app.fly.localhost"});
  startMachine([](net::StreamPtr stream, int) -> awaitable<void> {
    std::string received = co_await readExactly(*stream, 4);
    co_await stream->writeAll("echo " + received);
  });
  EdgeListeners with_tls(loop.executor(), routes(), "127.0.0.1", net::makeTlsServer(files.certificate, files.key));
  services = {{"app", 8443, "tcp", {"tls"}}};
  with_tls.refresh();
  boost::json::object state;
  with_tls.addTo(state);
  net::TlsClientOptions client;
  client.ca = files.certificate;
  client.serverName = "app.fly.localhost";
  auto address = net::parseHostPort(std::string(state.at("tcp").at(0).at("address").as_string()));
  auto stream = loop.run(net::connectTls(address, net::makeTlsClient(client), soon()));
  send(*stream, "ping");
  EXPECT_EQ(loop.run(readToEnd(*stream)), "echo ping");
}

TEST_F(EdgeListenersTest, stoppingClosesWhatIsConnected) {
  startMachine([](net::StreamPtr stream, int) -> awaitable<void> { co_await readToEnd(*stream); });
  services = {{"app", 5432, "tcp", {}}};
  listeners.refresh();
  auto stream = loop.run(net::connectTcp(addressOf(0), soon()));
  send(*stream, "held");
  loop.runUntil([&] { return machine->connections() == 1; });
  listeners.stop();
  EXPECT_EQ(loop.run(readToEnd(*stream)), "");
}

TEST_F(EdgeListenersTest, aRemovedServiceLosesItsListener) {
  services = {{"app", 5432, "tcp", {}}};
  listeners.refresh();
  net::HostPort address = addressOf(0);
  services.clear();
  listeners.refresh();
  EXPECT_EQ(count(), 0U);
  EXPECT_THROW(loop.run(net::connectTcp(address, soon())), Error);
}

TEST_F(EdgeListenersTest, aConnectionThatNoMachineServesIsClosed) {
  services = {{"app", 5432, "tcp", {}}};
  refusal = EdgeRefusal{503, "stopped"};
  listeners.refresh();
  auto stream = loop.run(net::connectTcp(addressOf(0), soon()));
  EXPECT_EQ(loop.run(readToEnd(*stream)), "");
}

}  // namespace
}  // namespace swarm::emulator
