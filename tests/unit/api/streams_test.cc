// Streams: events, logs, and what is passed through to the agent.
#include <gtest/gtest.h>

#include "async/deadline.h"
#include "auth/sharing/sharing.h"
#include "base/id.h"
#include "net/websocket/websocket.h"
#include "protocol/agent.h"
#include "protocol/ssh.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

net::Headers bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }

/// Reads a server's streamed answer piece by piece until it holds `wanted`; gives all of it.
class StreamedAnswer {
 public:
  StreamedAnswer(ApiServer& server, std::string target, net::Headers headers) : server_(server) {
    net::HttpRequest request;
    request.target = std::move(target);
    request.headers = std::move(headers);
    exchange_ = server.loop.run(server.client().open(std::move(request), Deadline::after(std::chrono::seconds(10))));
  }
  int status() const { return exchange_->status(); }
  std::string header(std::string_view name) const { return std::string(net::findHeader(exchange_->headers(), name)); }
  /// Until `wanted` was read, or the stream has ended.
  const std::string& readUntil(std::string_view wanted) {
    while (text_.find(wanted) == std::string::npos) {
      std::string piece = next();
      if (piece.empty()) break;
      text_ += piece;
    }
    return text_;
  }
  /// Whether the stream comes to an end (cut or finished).
  bool ends() {
    try {
      while (!next().empty()) {
      }
      return true;
    } catch (const Error& error) {
      return error.code() == ErrorCode::Unavailable;
    }
  }

 private:
  std::string next() { return server_.loop.run(exchange_->read(Deadline::after(std::chrono::seconds(10)))); }
  ApiServer& server_;
  std::unique_ptr<net::HttpExchange> exchange_;
  std::string text_;
};

TEST(ApiEvents, goToUsersWhoMaySeeThem) {
  ApiServer server;
  StreamedAnswer all(server, "/api/events", bearer(server.admin));
  StreamedAnswer own(server, "/api/events", bearer(server.user));
  EXPECT_EQ(all.status(), 200);
  EXPECT_EQ(all.header("Content-Type"), "text/event-stream");
  server.create("admins");
  std::string ullas = server.create("ullas", server.user);
  const std::string& seen = own.readUntil("\"name\":\"ullas\"");
  EXPECT_EQ(seen.find("admins"), std::string::npos) << seen;
  EXPECT_NE(seen.find("id: "), std::string::npos);
  EXPECT_NE(seen.find("event: "), std::string::npos);
  const std::string& everything = all.readUntil("\"name\":\"ullas\"");
  EXPECT_NE(everything.find("\"name\":\"admins\""), std::string::npos);
}

TEST(ApiEvents, goOnWhereAClientHadStopped) {
  ApiServer server;
  std::uint64_t before = server.controller->events().lastId();
  server.controller->events().publish(EventType::instance, "ulla", {{"n", 1}});
  server.controller->events().publish(EventType::instance, "ulla", {{"n", 2}});
  net::Headers headers = bearer(server.user);
  headers.push_back({"Last-Event-ID", std::to_string(before + 1)});
  StreamedAnswer resumed(server, "/api/events", headers);
  const std::string& text = resumed.readUntil("{\"n\":2}");
  EXPECT_EQ(text, "retry: 2000\n\nid: " + std::to_string(before + 2) + "\nevent: instance\ndata: {\"n\":2}\n\n");
}

TEST(ApiEvents, sayWhenSomeWereLost) {
  ApiServer server;
  for (int i = 0; i < 5000; ++i) server.controller->events().publish(EventType::instance, "ulla", {});
  for (std::string id : {"0", "999999"}) {
    net::Headers headers = bearer(server.user);
    headers.push_back({"Last-Event-ID", id});
    StreamedAnswer resumed(server, "/api/events", headers);
    EXPECT_NE(resumed.readUntil("event: reset").find("event: reset"), std::string::npos);
  }
}

TEST(ApiEvents, beatWhileNothingHappens) {
  ApiServer server({.heartbeat = std::chrono::seconds(1)});
  StreamedAnswer events(server, "/api/events", bearer(server.user));
  EXPECT_NE(events.readUntil(": heartbeat").find(": heartbeat\n\n"), std::string::npos);
}

TEST(ApiEvents, endWithTheSession) {
  ApiServer server({.sessionCheck = std::chrono::milliseconds(50)});
  std::string token = server.issue("ulla");
  StreamedAnswer events(server, "/api/events", bearer(token));
  EXPECT_EQ(server.send({"POST", "/api/auth/logout"}, token).status, 204);
  EXPECT_TRUE(events.ends());
}

TEST(ApiEvents, endWhenTheirUserIsDisabledDeletedOrGetsAnotherRole) {
  const std::initializer_list<Request> changes{{"POST", "/api/users/sten/disable"},
                                               {"PATCH", "/api/users/sten", R"({"role":"auditor"})"},
                                               {"POST", "/api/users/sten/password", R"({"password":"another horse"})"},
                                               {"DELETE", "/api/users/sten/sessions"},
                                               {"DELETE", "/api/users/sten"}};
  for (const Request& change : changes) {
    ApiServer server;
    StreamedAnswer events(server, "/api/events", bearer(server.stranger));
    StreamedAnswer others(server, "/api/events", bearer(server.user));
    EXPECT_LT(server.send(change).status, 300) << change.target;
    EXPECT_TRUE(events.ends()) << change.target;
    EXPECT_EQ(server.send({.target = "/api/auth/status"}, server.stranger).status, 401) << change.target;
    server.create("w", server.user);
    EXPECT_NE(others.readUntil("event: instance").find("event: instance"), std::string::npos) << "another user's stream goes on";
  }
}

TEST(ApiEvents, goToUsersWithWhomAWorkspaceIsSharedAsLongAsItIs) {
  ApiServer server;
  server.create("ullas", server.user);
  server.create("secret", server.user);
  StreamedAnswer theirs(server, "/api/events", bearer(server.stranger));
  StreamedAnswer others(server, "/api/events", bearer(server.viewer));
  EXPECT_EQ(server.send({"PUT", "/api/instances/ullas/shares/sten", R"({"access":"viewer"})"}, server.user).status, 200);
  EXPECT_NE(theirs.readUntil("\"granted\"").find("event: share"), std::string::npos);
  EXPECT_EQ(server.send({"PUT", "/api/instances/ullas/shares/vera", R"({"access":"viewer"})"}, server.user).status, 200);
  EXPECT_NE(others.readUntil("\"granted\"").find("event: share"), std::string::npos);
  EXPECT_EQ(server.post("/api/instances/secret/stop?wait=10").status, 200);
  EXPECT_EQ(server.post("/api/instances/ullas/stop?wait=10").status, 200);
  const std::string& seen = theirs.readUntil("\"status\":\"stopped\"");
  EXPECT_NE(seen.find("\"name\":\"ullas\""), std::string::npos);
  EXPECT_EQ(seen.find("secret"), std::string::npos);
  EXPECT_EQ(seen.find("vera"), std::string::npos) << "who else uses it";
  EXPECT_EQ(server.send({"DELETE", "/api/instances/ullas/shares/sten"}, server.user).status, 204);
  EXPECT_NE(theirs.readUntil("\"ended\"").find("\"ended\""), std::string::npos);
  EXPECT_EQ(server.post("/api/instances/ullas/start?wait=10").status, 200);
  EXPECT_EQ(server.send({"PUT", "/api/instances/secret/shares/sten", R"({"access":"viewer"})"}, server.user).status, 200);
  EXPECT_EQ(theirs.readUntil("\"name\":\"secret\"").find("\"status\":\"starting\""), std::string::npos) << "after its end";
}

TEST(ApiEvents, endWhenTheirAccessTokenIsRevokedOrItsOwnerGetsAnotherRole) {
  for (const bool revokes : {true, false}) {
    ApiServer server;
    const Answer made = server.send({"POST", "/api/tokens", R"({"name":"agent"})"}, server.stranger);
    ASSERT_EQ(made.status, 201) << made.text;
    StreamedAnswer events(server, "/api/events", bearer(made.at("token")));
    StreamedAnswer sessions(server, "/api/events", bearer(server.user));
    const Request change =
        revokes ? Request{"DELETE", "/api/tokens/" + made.at("id")} : Request{"PATCH", "/api/users/sten", R"({"role":"auditor"})"};
    EXPECT_LT(server.send(change).status, 300);
    EXPECT_TRUE(events.ends());
    server.create("w", server.user);
    EXPECT_NE(sessions.readUntil("event: instance").find("event: instance"), std::string::npos) << "another user's stream goes on";
  }
}

TEST(ApiEvents, areNotTakenByAClientWithoutBounds) {
  ApiServer server({.open = {.perUser = 2}});
  StreamedAnswer one(server, "/api/events", bearer(server.user));
  {
    StreamedAnswer two(server, "/api/events", bearer(server.user));
    Answer third = server.send({.target = "/api/events"}, server.user);
    EXPECT_EQ(third.status, 429);
    EXPECT_EQ(third.header("Retry-After"), "5");
    EXPECT_EQ(StreamedAnswer(server, "/api/events", bearer(server.admin)).status(), 200);
  }
  // The closed one's place comes free once the server has noticed.
  server.loop.runUntil([&] {
    StreamedAnswer again(server, "/api/events", bearer(server.user));
    return again.status() == 200;
  });
}

/// Gives its pieces; with follow, waits at the end until it is cancelled.
class ScriptedLogs final : public LogSource {
 public:
  std::vector<std::string> pieces;
  Options last;

  class PiecesReader final : public Reader {
   public:
    PiecesReader(std::vector<std::string> pieces, bool follow) : pieces_(std::move(pieces)), follow_(follow) {}
    awaitable<std::string> next(Deadline) override {
      if (at_ < pieces_.size()) co_return pieces_[at_++];
      if (follow_) co_await async::sleepUntil(Deadline::never());
      co_return std::string();
    }

   private:
    std::vector<std::string> pieces_;
    std::size_t at_ = 0;
    bool follow_;
  };
  awaitable<std::unique_ptr<Reader>> openLogs(PlaceId, Options options, Deadline) override {
    last = options;
    co_return std::make_unique<PiecesReader>(pieces, options.follow);
  }
};

TEST(ApiLogs, areReadAsTextAndAsLines) {
  ApiServer server;
  auto logs = std::make_unique<ScriptedLogs>();
  ScriptedLogs& source = *logs;
  source.pieces = {"first\nsec", "ond\n", "third"};
  server.inside.logs = std::move(logs);
  server.create("one");
  Answer text = server.get("/api/instances/one/logs?tail=5&since=2026-01-02T03:04:05Z");
  EXPECT_EQ(text.status, 200) << text.text;
  EXPECT_EQ(text.text, "first\nsecond\nthird");
  EXPECT_EQ(text.header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(source.last.tail, 5);
  EXPECT_EQ(formatTime(*source.last.since), "2026-01-02T03:04:05.000Z");
  std::string lines = "{\"line\":\"first\"}\n{\"line\":\"second\"}\n{\"line\":\"third\"}\n";
  EXPECT_EQ(server.get("/api/instances/one/logs?format=ndjson").text, lines);
  EXPECT_EQ(server.send({.target = "/api/instances/one/logs", .headers = {{"Accept", "application/x-ndjson"}}}).text, lines);
  EXPECT_EQ(server.get("/api/instances/one/logs?since=yesterday").status, 400);
}

TEST(ApiLogs, areFollowedUntilTheSessionEnds) {
  ApiServer server({.sessionCheck = std::chrono::milliseconds(50)});
  auto logs = std::make_unique<ScriptedLogs>();
  logs->pieces = {"hello\n"};
  server.inside.logs = std::move(logs);
  server.create("ullas", server.user);
  std::string token = server.issue("ulla");
  StreamedAnswer followed(server, "/api/instances/ullas/logs?follow=true", bearer(token));
  EXPECT_EQ(followed.readUntil("hello"), "hello\n");
  server.send({"POST", "/api/auth/logout"}, token);
  EXPECT_TRUE(followed.ends());
}

TEST(ApiLogs, areUnsupportedWhereAProviderHasNone) {
  ApiServer server;
  server.create("one");
  Answer answer = server.get("/api/instances/one/logs");
  EXPECT_EQ(answer.status, 501) << answer.text;
  EXPECT_EQ(answer.at("code"), "unsupported");
}

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
  Answer answer = server.send({.target = "/api/instances/one/exec", .headers = headers});
  EXPECT_EQ(answer.status, 409) << answer.text;
}

TEST(ApiExec, relaysAnAgentsRefusalAsAProblem) {
  ApiServer server;
  server.inside.agent = [](net::Exchange& exchange) -> awaitable<void> { co_await exchange.respond(401, {}, "no"); };
  server.create("one");
  net::Headers headers{{"Connection", "Upgrade"},
                       {"Upgrade", "websocket"},
                       {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="},
                       {"Sec-WebSocket-Version", "13"}};
  Answer answer = server.send({.target = "/api/instances/one/exec", .headers = headers});
  EXPECT_EQ(answer.status, 502) << answer.text;
  EXPECT_EQ(answer.json.at("upstream").at("status").as_int64(), 401);
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
  Answer closed = server.send({.target = "/api/instances/one/ports/9", .headers = headers});
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
  const Answer answer = server.send({.target = "/api/instances/one/ssh", .headers = headers});
  EXPECT_EQ(answer.status, 502) << answer.text;
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

TEST(ApiMetrics, countRequestsInstancesOperationsAndTheProcess) {
  ApiServer server;
  server.create("one");
  server.get("/api/instances/absent");
  Answer first = server.get("/metrics");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  for (const char* line : {
           "swarm_http_requests_total{method=\"POST\",route=\"/api/instances\",status=\"201\"} 1\n",
           "swarm_http_requests_total{method=\"GET\",route=\"/api/instances/{id}\",status=\"404\"} 1\n",
           "swarm_http_request_duration_seconds_count{method=\"GET\",route=\"/api/instances/{id}\"} 1\n",
           "swarm_instances{status=\"running\"} 1\n",
           "swarm_instances{status=\"stopped\"} 0\n",
           "swarm_operations_total{kind=\"create\",result=\"succeeded\"} 1\n",
           "swarm_provider_health{health=\"healthy\",provider=\"fake\"} 1\n",
           "\nprocess_resident_memory_bytes ",
           "\nprocess_cpu_seconds_total ",
           "\nprocess_open_fds ",
       }) {
    EXPECT_NE(first.text.find(line), std::string::npos) << line << first.text;
  }
  // What was counted is not counted again.
  EXPECT_NE(server.get("/metrics").text.find("swarm_operations_total{kind=\"create\",result=\"succeeded\"} 1\n"), std::string::npos);
}

TEST(ApiDescription, isServed) {
  ApiServer server;
  Answer answer = server.get("/api/openapi.json");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.json.at("paths").as_object().contains("/api/instances/{id}/token"));
  EXPECT_EQ(server.get("/api/version").at("version"), SWARM_VERSION);
}

}  // namespace
}  // namespace swarm::test
