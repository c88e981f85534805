// The agent's port: token checks on every path, and the response of each path.
#include <ifaddrs.h>
#include <net/if.h>

#include <boost/json/parse.hpp>

#include "agent/monitor/listeners.h"
#include "base/error.h"
#include "support/manual_clock.h"
#include "unit/agent/fixture.h"

namespace swarm::agent {
namespace {

struct Path {
  std::string method;
  std::string path;
  TokenScope scope;
};
const std::vector<Path> kPaths{{"GET", "/health", TokenScope::Status},
                               {"GET", "/usage", TokenScope::Status},
                               {"GET", "/activity", TokenScope::Status},
                               {"POST", "/exec", TokenScope::Exec},
                               {"GET", "/exec", TokenScope::Exec},
                               {"GET", "/tunnel/vscode", TokenScope::Vscode},
                               {"GET", "/tunnel/port/22", TokenScope::Port},
                               {"GET", "/tunnel/ssh", TokenScope::Ssh},
                               {"POST", "/hold", TokenScope::Files},
                               {"POST", "/release", TokenScope::Files},
                               {"GET", "/transfer/send", TokenScope::Files},
                               {"GET", "/transfer/receive", TokenScope::Files},
                               {"POST", "/sessions/end", TokenScope::Control}};
constexpr std::array kScopes{TokenScope::Status, TokenScope::Exec,  TokenScope::Vscode, TokenScope::Port,
                             TokenScope::Ssh,    TokenScope::Files, TokenScope::Control};

void expectBare401(const net::HttpResponse& response, std::string_view what) {
  EXPECT_EQ(response.status, 401) << what;
  EXPECT_EQ(response.body, "") << what;
  for (const auto& header : response.headers) {
    bool plain = net::equalsIgnoreCase(header.name, "Date") || net::equalsIgnoreCase(header.name, "Content-Length") ||
                 net::equalsIgnoreCase(header.name, "Connection");
    EXPECT_TRUE(plain) << what << " reveals " << header.name;
  }
}

TEST_F(AgentTest, everyPathAnswers401AndNothingElseWithoutItsOwnToken) {
  for (const auto& path : kPaths) {
    expectBare401(send(request(path.method, path.path, std::nullopt)), path.path);
    expectBare401(send(request(path.method, path.path, "nonsense")), path.path);
    for (TokenScope scope : kScopes) {
      if (scope == path.scope) continue;
      expectBare401(send(request(path.method, path.path, token(scope))), path.path + " with " + std::string(toString(scope)));
    }
  }
}

TEST_F(AgentTest, everyPathLetsItsOwnScopeIn) {
  for (const auto& path : kPaths) EXPECT_NE(send(request(path.method, path.path, token(path.scope))).status, 401) << path.path;
}

TEST_F(AgentTest, refusesTokensOfOtherInstancesOtherSecretsAndThePast) {
  ManualClock past(clock.now() - std::chrono::hours(2));
  std::chrono::seconds minute(60);
  expectBare401(send(request("GET", "/health", signInstanceToken(key, "i-other", TokenScope::Status, minute, clock))), "audience");
  expectBare401(send(request("GET", "/health",
                             signInstanceToken({TokenAlgorithm::Ed25519, Secret(std::string(32, 'x'))}, kInstance, TokenScope::Status,
                                               minute, clock))),
                "secret");
  expectBare401(send(request("GET", "/health", signInstanceToken(key, kInstance, TokenScope::Status, minute, past))), "expired");
}

TEST_F(AgentTest, refusesTokensOfTheOtherAlgorithm) {
  SigningKey secret{TokenAlgorithm::Hmac, verifyingKeyOf(key).bytes};
  expectBare401(send(request("GET", "/health", signInstanceToken(secret, kInstance, TokenScope::Status, std::chrono::minutes(1), clock))),
                "the public key as a secret");
}

TEST_F(AgentTest, aSessionThatEndedTakesItsTokensAlongAndNoOthers) {
  auto tokenOf = [&](std::string_view session) {
    return signInstanceToken(key, kInstance, TokenScope::Status, std::chrono::minutes(1), clock, session);
  };
  EXPECT_EQ(send(request("GET", "/health", tokenOf("s-1"))).status, 200);
  await(endSession(target(), "s-1", Deadline::after(kPatience)));
  expectBare401(send(request("GET", "/health", tokenOf("s-1"))), "ended");
  expectBare401(send(request("GET", "/absent", tokenOf("s-1"))), "ended, unknown path");
  EXPECT_EQ(send(request("GET", "/health", tokenOf("s-2"))).status, 200);
  EXPECT_EQ(send(request("GET", "/health", token(TokenScope::Status))).status, 200) << "the server's own token";
  for (const char* wrong : {"", "[]", "{}", R"({"session":1})"}) {
    auto bad = request("POST", "/sessions/end", token(TokenScope::Control));
    bad.body = wrong;
    EXPECT_EQ(send(std::move(bad)).status, 400) << wrong;
  }
}

TEST_F(AgentTest, aSessionThatEndsCutsItsTunnelsAndCommandsAndNoOthers) {
  auto listener = net::listenTcp(context.get_executor(), {"127.0.0.1", 0});
  net::HttpServer echo(std::move(listener), [](net::Exchange& exchange) { return exchange.respond(200, {}, "here"); });
  asio::co_spawn(context, echo.run(), asio::detached);
  auto tunnelOf = [&](std::string_view session) {
    net::HttpClientOptions options;
    options.host = "agent";
    auto wanted = request("GET", "/tunnel/port/" + std::to_string(echo.port()),
                          signInstanceToken(key, kInstance, TokenScope::Port, std::chrono::minutes(1), clock, session));
    wanted.headers.push_back({"Connection", "Upgrade"});
    wanted.headers.push_back({"Upgrade", std::string(kTunnelProtocol)});
    return await([](net::Connector connect, net::HttpClientOptions how, net::HttpRequest what) -> awaitable<net::StreamPtr> {
      net::HttpClient client(connect, how);
      auto exchange = co_await client.open(std::move(what), Deadline::after(kPatience));
      EXPECT_EQ(exchange->status(), 101);
      co_return exchange->takeStream();
    }(target().endpoint.connect, options, std::move(wanted)));
  };
  net::StreamPtr hers = tunnelOf("s-1");
  net::StreamPtr his = tunnelOf("s-2");
  await(endSession(target(), "s-1", Deadline::after(kPatience)));
  auto readOf = [&](net::StreamPtr& stream) {
    return await([](net::Stream& from) -> awaitable<net::IoResult> {
      from.setDeadline(std::chrono::steady_clock::now() + kPatience);
      char byte = 0;
      co_return co_await from.readSome(asio::buffer(&byte, 1));
    }(*stream));
  };
  net::IoResult end = readOf(hers);
  EXPECT_TRUE(end.error) << "cut";
  EXPECT_NE(end.error, boost::system::errc::timed_out);
  await([](net::Stream& to) -> awaitable<void> { co_await to.writeAll("GET / HTTP/1.1\r\nHost: x\r\n\r\n"); }(*his));
  EXPECT_FALSE(readOf(his).error);
  echo.stop();
}

TEST_F(AgentTest, unknownPathsAreReportedOnlyWithAToken) {
  for (const char* path : {"/", "/healthz", "/tunnel", "/tunnel/", "/exec/", "/health/", "/HEALTH", "/admin"}) {
    expectBare401(send(request("GET", path, std::nullopt)), path);
    EXPECT_EQ(send(request("GET", path, token(TokenScope::Status))).status, 404) << path;
  }
}

TEST_F(AgentTest, wrongMethodsAreRefusedAfterTheToken) {
  expectBare401(send(request("DELETE", "/health", std::nullopt)), "DELETE");
  EXPECT_EQ(send(request("DELETE", "/health", token(TokenScope::Status))).status, 405);
  EXPECT_EQ(send(request("PUT", "/exec", token(TokenScope::Exec))).status, 405);
}

TEST_F(AgentTest, tunnelsAndStreamsWithoutAnUpgradeSayWhatIsMissing) {
  EXPECT_EQ(send(request("GET", "/tunnel/vscode", token(TokenScope::Vscode))).status, 426);
  EXPECT_EQ(send(request("GET", "/tunnel/port/80", token(TokenScope::Port))).status, 426);
  EXPECT_EQ(send(request("GET", "/exec", token(TokenScope::Exec))).status, 426);
}

TEST_F(AgentTest, badPortsAreRefused) {
  for (const char* port : {"0", "65536", "-1", "abc", "", "22x", "7777"}) {
    EXPECT_EQ(send(request("GET", std::string("/tunnel/port/") + port, token(TokenScope::Port))).status, 400) << port;
  }
}

TEST_F(AgentTest, healthSaysWhyVscodeIsNotReadyAndThenThatItIs) {
  auto before = await(getHealth(target(), Deadline::after(kPatience)));
  EXPECT_FALSE(before.ready);
  EXPECT_NE(before.reason, "");
  startVscode();
  auto after = await(getHealth(target(), Deadline::after(kPatience)));
  EXPECT_TRUE(after.ready);
  EXPECT_EQ(after.reason, "");
  EXPECT_NE(after.generation, "");
}

TEST_F(AgentTest, healthIsHeldBackUntilVscodeIsReady) {
  auto hasty = await(getHealth(target(), Deadline::after(kPatience), std::chrono::milliseconds(20)));
  EXPECT_FALSE(hasty.ready) << "it was never started: the wait ends";
  asio::co_spawn(context, vscode.run(), asio::detached);
  auto patient = await(getHealth(target(), Deadline::after(kPatience), std::chrono::seconds(10)));
  EXPECT_TRUE(patient.ready);
}

TEST_F(AgentTest, usageIsMeasured) {
  auto measured = await(getUsage(target(), Deadline::after(kPatience)));
  EXPECT_GT(measured.memory.limit, 0);
  EXPECT_GT(measured.storage.limit, 0);
  EXPECT_GT(measured.cpu.limit, 0);
}

TEST_F(AgentTest, aTunnelCarriesVscodesHttpAndCountsAsAConnection) {
  startVscode();
  auto tunnel = await(openVscodeTunnel(target(), Deadline::after(kPatience)));
  EXPECT_EQ(await(getActivity(target(), Deadline::after(kPatience))).connections, 1);
  std::string response = await([](net::Stream& stream) -> awaitable<std::string> {
    co_await stream.writeAll("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    std::string text;
    std::array<char, 1024> buffer{};
    for (;;) {
      auto got = co_await stream.readSome(asio::buffer(buffer));
      if (got.error) co_return text;
      text.append(buffer.data(), got.bytes);
    }
  }(*tunnel));
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200")) << response;
  EXPECT_TRUE(response.ends_with("hello")) << response;
  tunnel.reset();
  waitUntil([this] { return activity.connections() == 0; });
}

TEST_F(AgentTest, aTunnelToVscodeThatIsNotReadyGivesTheReason) {
  try {
    await(openVscodeTunnel(target(), Deadline::after(kPatience)));
    FAIL() << "VS Code is not running";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_EQ(error.message(), vscode.reason());
  }
}

TEST_F(AgentTest, aTunnelToAPortWithoutAListenerIsRefused) {
  auto listener = net::listenTcp(context.get_executor(), {"127.0.0.1", 0});
  auto port = listener->port();
  listener.reset();
  try {
    await(openPortTunnel(target(), port, Deadline::after(kPatience)));
    FAIL() << "no process is listening there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_THAT(error.message(), testing::HasSubstr(std::to_string(port)));
  }
}

awaitable<void> echo(net::Listener& listener) {
  auto stream = co_await listener.accept();
  std::array<char, 4096> buffer{};
  for (;;) {
    auto got = co_await stream->readSome(asio::buffer(buffer));
    if (got.error) co_return;
    co_await stream->writeAll(std::string_view(buffer.data(), got.bytes));
  }
}

TEST_F(AgentTest, aPortTunnelCarriesBytesBothWays) {
  auto listener = net::listenTcp(context.get_executor(), {"127.0.0.1", 0});
  asio::co_spawn(context, echo(*listener), asio::detached);
  auto tunnel = await(openPortTunnel(target(), listener->port(), Deadline::after(kPatience)));
  std::string back = await([](net::Stream& stream) -> awaitable<std::string> {
    co_await stream.writeAll("ping");
    std::array<char, 16> buffer{};
    auto got = co_await stream.readSome(asio::buffer(buffer));
    co_return std::string(buffer.data(), got.bytes);
  }(*tunnel));
  EXPECT_EQ(back, "ping");
}

/// A non-loopback address of this machine; empty without a network.
/// Of the first interface: the last ones are bridges of containers, which end with them.
std::string ownAddress() {
  ifaddrs* list = nullptr;
  std::string address;
  if (::getifaddrs(&list) != 0) return address;
  for (const ifaddrs* item = list; item != nullptr && address.empty(); item = item->ifa_next) {
    if (item->ifa_addr == nullptr || item->ifa_addr->sa_family != AF_INET || (item->ifa_flags & (IFF_LOOPBACK | IFF_UP)) != IFF_UP)
      continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const auto* ip = reinterpret_cast<const sockaddr_in*>(item->ifa_addr);
    address = ::inet_ntop(AF_INET, &ip->sin_addr, text.data(), text.size());
  }
  ::freeifaddrs(list);
  return address;
}

TEST_F(AgentTest, aPortTunnelReachesAProgramThatListensOnTheOwnAddressAlone) {
  const std::string address = ownAddress();
  if (address.empty()) GTEST_SKIP() << "this machine has only loopback addresses";
  auto listener = net::listenTcp(context.get_executor(), {address, 0});
  asio::co_spawn(context, echo(*listener), asio::detached);
  auto tunnel = await(openPortTunnel(target(), listener->port(), Deadline::after(kPatience)));
  std::string back = await([](net::Stream& stream) -> awaitable<std::string> {
    co_await stream.writeAll("ping");
    std::array<char, 16> buffer{};
    auto got = co_await stream.readSome(asio::buffer(buffer));
    co_return std::string(buffer.data(), got.bytes);
  }(*tunnel));
  EXPECT_EQ(back, "ping");
}

TEST(Listeners, areReadFromTheKernelsTables) {
  const std::string_view four =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n"
      "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0\n"
      "   2: 030011AC:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0\n"
      "   3: 040011AC:1F90 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0\n"
      "   4: 050011AC:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5 1 0 100 0 0 10 0\n";
  EXPECT_EQ(listenersIn(four, 8080), (std::vector<std::string>{"172.17.0.3"}));
  EXPECT_EQ(listenersIn(four, 8081), (std::vector<std::string>{"172.17.0.5"}));
  EXPECT_TRUE(listenersIn(four, 80).empty());
  const std::string_view six =
      "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0:0\n"
      "   1: B80D0120000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0:0\n";
  EXPECT_EQ(listenersIn(six, 8080), (std::vector<std::string>{"2001:db8::1"}));
  EXPECT_TRUE(listenersIn("nonsense\n: : :\n0: zz:1F90 0 0A\n", 8080).empty());
}

TEST_F(AgentTest, malformedRequestsEndWithoutHarm) {
  for (std::string_view junk : {"\r\n\r\n", "GET\r\n\r\n", "GET /health HTTP/1.1\r\n\r\n", "\x16\x03\x01garbage\r\n\r\n",
                                "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"}) {
    std::string response = await([](net::HostPort where, std::string_view bytes) -> awaitable<std::string> {
      auto stream = co_await net::connectTcp(where, Deadline::after(kPatience));
      co_await stream->writeAll(bytes);
      co_await stream->shutdownWrite();
      std::array<char, 1024> buffer{};
      auto got = co_await stream->readSome(asio::buffer(buffer));
      co_return std::string(buffer.data(), got.bytes);
    }(address(), junk));
    EXPECT_TRUE(response.empty() || response.starts_with("HTTP/1.1 4")) << response;
  }
  EXPECT_EQ(send(request("GET", "/health", token(TokenScope::Status))).status, 200);
}

TEST_F(AgentTest, aWrongSecretIsReportedAsTheServersProblem) {
  auto wrong = target();
  wrong.key.bytes = Secret(std::string(32, 'x'));
  try {
    await(getHealth(wrong, Deadline::after(kPatience)));
    FAIL() << "the token is wrong";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::UpstreamFailed);
    EXPECT_EQ(error.upstream().status, 401);
  }
}

}  // namespace
}  // namespace swarm::agent
