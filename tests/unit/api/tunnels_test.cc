// What the API passes through to an agent: commands, ports, SSH.
#include <gtest/gtest.h>

#include "async/deadline.h"
#include "auth/sharing/groups.h"
#include "auth/sharing/sharing.h"
#include "base/id.h"
#include "net/websocket/websocket.h"
#include "protocol/agent.h"
#include "protocol/ssh.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

/// An agent that echoes WebSocket messages at /exec and bytes in port tunnels, and remembers the token that it was shown.
struct EchoAgent {
  std::string token;
  net::HttpHandler handler() {
    return [this](net::Exchange& exchange) { return serve(exchange); };
  }
  awaitable<void> serve(net::Exchange& exchange) {
    token = exchange.head().headers.find(agent::kTokenHeader).value_or("");
    if (exchange.head().path() == agent::kExecPath) {
      auto socket = co_await net::acceptWebSocket(exchange);
      while (auto message = co_await socket->read()) {
        const std::string echo = "echo " + message->data;
        co_await (message->text ? socket->writeText(echo) : socket->write(echo));
      }
    } else if (exchange.head().path() == "/tunnel/port/8080") {
      net::StreamPtr stream = co_await exchange.upgrade({{"Upgrade", std::string(agent::kTunnelProtocol)}, {"Connection", "Upgrade"}});
      char buffer[4096];
      for (;;) {
        net::IoResult got = co_await stream->readSome(boost::asio::buffer(buffer));
        if (got.error) co_return;
        co_await stream->writeAll(std::string_view(buffer, got.bytes));
      }
    } else {
      co_await exchange.respond(502, {{"Content-Type", "text/plain"}}, "Nothing listens on this port.");
    }
  }
};

TEST(ApiExec, passesAWebSocketThroughToTheAgent) {
  ApiServer server;
  EchoAgent agent;
  server.inside.agent = agent.handler();
  std::string id = server.create("ullas", server.user);
  server.loop.run([](ApiServer& api, net::StreamPtr stream, net::Headers headers) -> awaitable<void> {
    auto socket = co_await net::openWebSocket(std::move(stream), "localhost", "/api/instances/ullas/exec", std::move(headers),
                                              Deadline::after(std::chrono::seconds(10)));
    co_await socket->writeText("hello");
    auto first = co_await socket->read();
    EXPECT_TRUE(first && first->data == "echo hello" && first->text);
    std::string large(300'000, 'x');
    co_await socket->write(large);
    auto second = co_await socket->read();
    EXPECT_TRUE(second && second->data == "echo " + large);
    co_await socket->close(1000, "done");
    (void)api;
  }(server, server.connect(), bearer(server.user)));
  agent::AgentTarget target = server.loop.run(server.controller->agentTarget(id));
  EXPECT_TRUE(verifyInstanceToken(agent.token, verifyingKeyOf(target.key), id, TokenScope::Exec, server.clock));
}

TEST(ApiExec, endsWithTheSession) {
  ApiServer server({.sessionCheck = std::chrono::milliseconds(50)});
  EchoAgent agent;
  server.inside.agent = agent.handler();
  server.create("ullas", server.user);
  std::string token = server.issue("ulla");
  auto socket = server.loop.run(net::openWebSocket(server.connect(), "localhost", "/api/instances/ullas/exec", bearer(token),
                                                   Deadline::after(std::chrono::seconds(10))));
  server.send({"POST", "/api/auth/logout"}, token);
  bool ended = server.loop.run([](net::WebSocket& open) -> awaitable<bool> {
    try {
      co_return !co_await open.read();
    } catch (const Error&) {
      co_return true;
    }
  }(*socket));
  EXPECT_TRUE(ended);
}

TEST(ApiExec, answersAStoppedInstanceWithAConflict) {
  ApiServer server;
  EchoAgent agent;
  server.inside.agent = agent.handler();
  server.create("one");
  server.post("/api/instances/one/stop?wait=10");
  net::Headers headers{{"Connection", "Upgrade"},
                       {"Upgrade", "websocket"},
                       {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="},
                       {"Sec-WebSocket-Version", "13"}};
  Response response = server.send({.target = "/api/instances/one/exec", .headers = headers});
  EXPECT_EQ(response.status, 409) << response.text;
}

TEST(ApiExec, relaysAnAgentsRefusalAsAProblem) {
  ApiServer server;
  server.inside.agent = [](net::Exchange& exchange) -> awaitable<void> { co_await exchange.respond(401, {}, "no"); };
  server.create("one");
  net::Headers headers{{"Connection", "Upgrade"},
                       {"Upgrade", "websocket"},
                       {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="},
                       {"Sec-WebSocket-Version", "13"}};
  Response response = server.send({.target = "/api/instances/one/exec", .headers = headers});
  EXPECT_EQ(response.status, 502) << response.text;
  EXPECT_EQ(response.json.at("upstream").at("status").as_int64(), 401);
}

TEST(ApiPorts, tunnelsBytesToAPortInside) {
  ApiServer server;
  EchoAgent agent;
  server.inside.agent = agent.handler();
  server.create("ullas", server.user);
  net::HttpRequest request;
  request.target = "/api/instances/ullas/ports/8080";
  request.headers = bearer(server.user);
  request.headers.push_back({"Connection", "Upgrade"});
  request.headers.push_back({"Upgrade", "swarm-tunnel"});
  auto exchange = server.loop.run(server.client().open(request, Deadline::after(std::chrono::seconds(10))));
  ASSERT_EQ(exchange->status(), 101);
  std::string echoed = server.loop.run([](net::StreamPtr stream) -> awaitable<std::string> {
    co_await stream->writeAll(std::string_view("ping"));
    char buffer[16];
    net::IoResult got = co_await stream->readSome(boost::asio::buffer(buffer));
    co_return std::string(buffer, got.bytes);
  }(exchange->takeStream()));
  EXPECT_EQ(echoed, "ping");
}

TEST(ApiPorts, refusesInvalidPortsAndPortsWithoutAListener) {
  ApiServer server;
  EchoAgent agent;
  server.inside.agent = agent.handler();
  server.create("one");
  net::Headers headers{{"Connection", "Upgrade"}, {"Upgrade", "swarm-tunnel"}};
  for (std::string port : {"0", "65536", "x", "-1", "80x"})
    EXPECT_EQ(server.send({.target = "/api/instances/one/ports/" + port, .headers = headers}).status, 400) << port;
  Response closed = server.send({.target = "/api/instances/one/ports/9", .headers = headers});
  EXPECT_TRUE(closed.status == 502 || closed.status == 503) << closed.text;
}

/// An agent that echoes in its SSH tunnel, and reports `hostKey`.
struct SshAgent {
  std::string hostKey;
  std::string token = {}, clientKey = {};
  net::HttpHandler handler() {
    return [this](net::Exchange& exchange) { return serve(exchange); };
  }
  awaitable<void> serve(net::Exchange& exchange) {
    EXPECT_EQ(exchange.head().path(), agent::kSshTunnelPath);
    token = exchange.head().headers.find(agent::kTokenHeader).value_or("");
    clientKey = exchange.head().headers.find(agent::kSshKeyHeader).value_or("");
    net::StreamPtr stream = co_await exchange.upgrade(
        {{"Upgrade", std::string(agent::kTunnelProtocol)}, {"Connection", "Upgrade"}, {std::string(agent::kSshHostKeyHeader), hostKey}});
    char buffer[4096];
    for (;;) {
      net::IoResult got = co_await stream->readSome(boost::asio::buffer(buffer));
      if (got.error) co_return;
      co_await stream->writeAll(std::string_view(buffer, got.bytes));
    }
  }
};

std::string sshKey(const std::string& owner) {
  const std::string type = "ssh-ed25519";
  return type + " " + toBase64(std::string{'\0', '\0', '\0', '\x0b'} + type + owner);
}

TEST(ApiSsh, carriesTheKeyInTheBytesThroughAndTheHostKeyOut) {
  ApiServer server;
  SshAgent agent{sshKey("host")};
  server.inside.agent = agent.handler();
  const std::string id = server.create("ullas", server.user);
  server.withClient(
      [&](SwarmClient& client) {
        auto ssh = client.openSsh("ullas", sshKey("client") + " me@home");
        EXPECT_EQ(ssh->hostKey(), sshKey("host"));
        EXPECT_EQ(ssh->instanceId(), id);
        EXPECT_TRUE(ssh->write("ping"));
        EXPECT_EQ(ssh->read(), "ping");
        ssh->close();
        EXPECT_EQ(ssh->read(), "");
        EXPECT_FALSE(ssh->write("more"));
      },
      server.user);
  EXPECT_EQ(agent.clientKey, sshKey("client"));
  agent::AgentTarget target = server.loop.run(server.controller->agentTarget(id));
  EXPECT_TRUE(verifyInstanceToken(agent.token, verifyingKeyOf(target.key), id, TokenScope::Ssh, server.clock));
}

TEST(ApiSsh, refusesWhatIsNotAKeyAndAnAgentWithoutAHostKey) {
  ApiServer server;
  SshAgent agent{"ssh-ed25519 AAAA\tcommand"};
  server.inside.agent = agent.handler();
  server.create("one");
  net::Headers headers{{"Connection", "Upgrade"}, {"Upgrade", "swarm-tunnel"}};
  EXPECT_EQ(server.send({.target = "/api/instances/one/ssh", .headers = headers}).status, 400);
  for (const std::string& key : {std::string("ssh-ed25519 AAAA"), "command=\"id\" " + sshKey("x"), std::string(9000, 'x')}) {
    net::Headers with = headers;
    with.push_back({std::string(agent::kSshKeyHeader), key});
    EXPECT_EQ(server.send({.target = "/api/instances/one/ssh", .headers = with}).status, 400) << key;
  }
  headers.push_back({std::string(agent::kSshKeyHeader), sshKey("client")});
  const Response response = server.send({.target = "/api/instances/one/ssh", .headers = headers});
  EXPECT_EQ(response.status, 502) << response.text;
}

TEST(ApiSsh, endsWithTheSession) {
  ApiServer server({.sessionCheck = std::chrono::milliseconds(50)});
  SshAgent agent{sshKey("host")};
  server.inside.agent = agent.handler();
  server.create("ullas", server.user);
  const std::string token = server.issue("ulla");
  net::HttpRequest request;
  request.target = "/api/instances/ullas/ssh";
  request.headers = bearer(token);
  for (const auto& [name, value] :
       {std::pair{"Connection", std::string("Upgrade")}, {"Upgrade", "swarm-tunnel"}, {"Swarm-Ssh-Key", sshKey("c")}})
    request.headers.push_back({name, value});
  auto exchange = server.loop.run(server.client().open(request, Deadline::after(std::chrono::seconds(10))));
  ASSERT_EQ(exchange->status(), 101);
  server.send({"POST", "/api/auth/logout"}, token);
  EXPECT_TRUE(server.loop.run([](net::StreamPtr stream) -> awaitable<bool> {
    char byte = 0;
    co_return static_cast<bool>((co_await stream->readSome(boost::asio::buffer(&byte, 1))).error);
  }(exchange->takeStream())));
}

TEST(ApiSsh, endsWithTheShareThatAllowedIt) {
  const std::initializer_list<std::function<void(ApiServer&)>> ways{
      [](ApiServer& server) { EXPECT_EQ(server.send({"DELETE", "/api/instances/ullas/shares/sten"}, server.user).status, 204); },
      [](ApiServer& server) {
        EXPECT_EQ(server.send({"PUT", "/api/instances/ullas/shares/sten", R"({"access":"viewer"})"}, server.user).status, 200);
      },
      [](ApiServer& server) {
        server.clock.advance(std::chrono::minutes(31));
        server.loop.run(server.auth->sharing().endExpired());
      }};
  for (const auto& end : ways) {
    ApiServer server({.sessionCheck = std::chrono::milliseconds(50)});
    SshAgent agent{sshKey("host")};
    server.inside.agent = agent.handler();
    server.create("ullas", server.user);
    const std::string until = formatTime(server.clock.now() + std::chrono::minutes(30));
    const std::string body = R"({"access":"editor","expiresAt":")" + until + "\"}";
    EXPECT_EQ(server.send({"PUT", "/api/instances/ullas/shares/sten", body}, server.user).status, 200);
    net::HttpRequest request;
    request.target = "/api/instances/ullas/ssh";
    request.headers = bearer(server.stranger);
    for (const auto& [name, value] :
         {std::pair{"Connection", std::string("Upgrade")}, {"Upgrade", "swarm-tunnel"}, {"Swarm-Ssh-Key", sshKey("c")}})
      request.headers.push_back({name, value});
    auto exchange = server.loop.run(server.client().open(request, Deadline::after(std::chrono::seconds(10))));
    ASSERT_EQ(exchange->status(), 101);
    end(server);
    EXPECT_TRUE(server.loop.run([](net::StreamPtr stream) -> awaitable<bool> {
      char byte = 0;
      co_return static_cast<bool>((co_await stream->readSome(boost::asio::buffer(&byte, 1))).error);
    }(exchange->takeStream())));
    EXPECT_EQ(server.send({.target = "/api/auth/status"}, server.stranger).status, 200) << "the session goes on";
  }
}

TEST(ApiSsh, endsWithTheGroupOrTheMembershipThatAllowedIt) {
  const std::initializer_list<std::function<void(ApiServer&)>> ways{
      [](ApiServer& server) { EXPECT_EQ(server.send({"DELETE", "/api/groups/devs/members/sten"}).status, 204); },
      [](ApiServer& server) { EXPECT_EQ(server.send({"DELETE", "/api/groups/devs"}).status, 204); },
      [](ApiServer& server) { server.loop.run(server.auth->groups().setManaged("sten", "corp", {"others"})); }};
  for (const auto& end : ways) {
    ApiServer server({.sessionCheck = std::chrono::milliseconds(50)});
    SshAgent agent{sshKey("host")};
    server.inside.agent = agent.handler();
    server.create("ullas", server.user);
    const bool is_managed = &end == ways.end() - 1;
    if (is_managed) {
      server.loop.run(server.auth->groups().setManaged("sten", "corp", {"devs", "others"}));
    } else {
      EXPECT_EQ(server.post("/api/groups", R"({"name":"devs"})").status, 201);
      EXPECT_EQ(server.send({"PUT", "/api/groups/devs/members/sten"}).status, 200);
    }
    EXPECT_EQ(server.send({"PUT", "/api/instances/ullas/shares/groups/devs", R"({"access":"editor"})"}, server.user).status, 200);
    net::HttpRequest request;
    request.target = "/api/instances/ullas/ssh";
    request.headers = bearer(server.stranger);
    for (const auto& [name, value] :
         {std::pair{"Connection", std::string("Upgrade")}, {"Upgrade", "swarm-tunnel"}, {"Swarm-Ssh-Key", sshKey("c")}})
      request.headers.push_back({name, value});
    auto exchange = server.loop.run(server.client().open(request, Deadline::after(std::chrono::seconds(10))));
    ASSERT_EQ(exchange->status(), 101);
    end(server);
    EXPECT_TRUE(server.loop.run([](net::StreamPtr stream) -> awaitable<bool> {
      char byte = 0;
      co_return static_cast<bool>((co_await stream->readSome(boost::asio::buffer(&byte, 1))).error);
    }(exchange->takeStream())));
  }
}

}  // namespace
}  // namespace swarm::test
