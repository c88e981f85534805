// What one user may have open at a time, whichever kind it is; and streams that end as streams do, without a word in the log.
#include <gmock/gmock.h>

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "net/websocket/websocket.h"
#include "protocol/agent.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

net::Headers signedIn(const std::string& token, std::string_view upgrade = {}) {
  net::Headers headers{{"Authorization", "Bearer " + token}};
  if (upgrade.empty()) return headers;
  headers.push_back({"Connection", "Upgrade"});
  headers.push_back({"Upgrade", std::string(upgrade)});
  headers.push_back({"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="});
  headers.push_back({"Sec-WebSocket-Version", "13"});
  return headers;
}

/// Accepts every upgrade, and sends nothing.
awaitable<void> acceptAll(net::Exchange& exchange) {
  const bool socket = exchange.head().upgrade == "websocket";
  net::StreamPtr stream = co_await exchange.upgrade({{"Upgrade", socket ? "websocket" : std::string(agent::kTunnelProtocol)},
                                                     {"Connection", "Upgrade"},
                                                     {"Sec-WebSocket-Accept", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="}});
  char byte = 0;
  co_await stream->readSome(boost::asio::buffer(&byte, 1));
}

std::unique_ptr<net::HttpExchange> open(ApiServer& server, std::string target, net::Headers headers) {
  net::HttpRequest request;
  request.target = std::move(target);
  request.headers = std::move(headers);
  return server.loop.run(server.client().open(std::move(request), Deadline::after(std::chrono::seconds(10))));
}

TEST(ApiBudget, isOneForStreamsTunnelsAndCommands) {
  ApiServer server({.open = {.perUser = 3}});
  server.inside.agent = acceptAll;
  server.create("ullas", server.user);
  auto events = open(server, "/api/events", signedIn(server.user));
  auto tunnel = open(server, "/api/instances/ullas/ports/80", signedIn(server.user, agent::kTunnelProtocol));
  auto command = open(server, "/api/instances/ullas/exec", signedIn(server.user, "websocket"));
  EXPECT_EQ(events->status(), 200);
  EXPECT_EQ(tunnel->status(), 101);
  EXPECT_EQ(command->status(), 101);
  std::vector<Response> refused;
  for (const Request& more :
       {Request{.target = "/api/events"}, Request{.target = "/api/instances/ullas/logs"}, Request{.target = "/api/instances/ullas/export"},
        Request{.method = "POST", .target = "/api/instances/ullas/exec", .body = R"({"command":["true"]})"}})
    refused.push_back(server.send(more, server.user));
  for (std::string target : {"/api/instances/ullas/ports/80", "/api/instances/ullas/exec"}) {
    net::Headers headers = signedIn(server.user, target.ends_with("exec") ? "websocket" : std::string(agent::kTunnelProtocol));
    headers.erase(headers.begin());
    refused.push_back(server.send({.target = target, .headers = headers}, server.user));
  }
  for (const Response& response : refused) {
    EXPECT_EQ(response.status, 429) << response.text;
    EXPECT_EQ(response.header("Retry-After"), "5");
    EXPECT_THAT(response.at("detail"), HasSubstr("Limit of 3 open streams and tunnels of one user"));
  }
  EXPECT_EQ(server.get("/api/instances/ullas").status, 200) << "a question is not a stream";
  EXPECT_EQ(open(server, "/api/events", signedIn(server.admin))->status(), 200);
  tunnel.reset();  // its place comes free once the server has noticed
  server.loop.runUntil([&] { return open(server, "/api/events", signedIn(server.user))->status() == 200; });
}

TEST(ApiBudget, ofAWorkspaceCountsAllItsUsers) {
  ApiServer server({.open = {.perInstance = 1}});
  server.inside.agent = acceptAll;
  server.create("ullas", server.user);
  auto tunnel = open(server, "/api/instances/ullas/ports/80", signedIn(server.user, agent::kTunnelProtocol));
  EXPECT_EQ(tunnel->status(), 101);
  EXPECT_EQ(open(server, "/api/instances/ullas/ports/80", signedIn(server.admin, agent::kTunnelProtocol))->status(), 429);
  EXPECT_EQ(open(server, "/api/events", signedIn(server.user))->status(), 200);
}

TEST(ApiBudget, ofBytesIsForUnreadResponses) {
  ApiServer server({.open = {.bytesPerUser = 2 * agent::kMaxBufferedOutput}});
  server.create("ullas", server.user);
  auto gate = server.world.faults.block("executeCommand");
  std::optional<int> first;
  server.loop.spawn([](ApiServer& api, std::optional<int>& status) -> awaitable<void> {
    net::HttpRequest request{.method = "POST", .target = "/api/instances/ullas/exec", .headers = signedIn(api.user)};
    request.body = R"({"command":["true"]})";
    request.contentType = "application/json";
    net::HttpResponse response = co_await api.client().send(std::move(request), Deadline::after(std::chrono::seconds(10)));
    status = response.status;
  }(server, first));
  server.loop.run(gate->reached());
  Response second = server.send({"POST", "/api/instances/ullas/exec", R"({"command":["true"]})"}, server.user);
  EXPECT_EQ(second.status, 429) << second.text;
  EXPECT_THAT(second.at("detail"), HasSubstr("Limit of 2 MiB of large requests, unread responses and command output of one user"));
  gate->open();
  server.loop.runUntil([&] { return first.has_value(); });
  EXPECT_EQ(first, 200);
  EXPECT_EQ(server.send({"POST", "/api/instances/ullas/exec", R"({"command":["true"]})"}, server.user).status, 200);
}

TEST(ApiBudget, ofBytesIsForRequestsThatDoNotEnd) {
  ApiServer server({.open = {.bytesPerUser = 300'000}});
  const std::string large = "{\"metadata\":{\"x\":\"" + std::string(200'000, 'x') + "\"}}";
  auto ask = [&](const std::string& body, const std::string& token) { return server.send({"POST", "/api/instances", body}, token).status; };
  EXPECT_EQ(ask(large, server.user), 400) << "too much metadata";
  for (const std::string framing : {"Content-Length: 200000", "Transfer-Encoding: chunked"}) {
    net::StreamPtr slow = server.connect();
    const std::string begun = "POST /api/instances HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + server.user +
                              "\r\nContent-Type: application/json\r\n" + framing + "\r\n\r\n20\r\n" + std::string(0x20, ' ');
    server.loop.run([](net::Stream& stream, std::string bytes) -> awaitable<void> { co_await stream.writeAll(bytes); }(*slow, begun));
    server.loop.runUntil([&] { return ask(large, server.user) == 429; });
    EXPECT_EQ(ask(R"({"metadata":1})", server.user), 400) << "a small one is not counted";
    EXPECT_EQ(ask(large, server.stranger), 400);
    slow.reset();
    server.loop.runUntil([&] { return ask(large, server.user) == 400; });
  }
}

TEST(ApiBudget, ofRequestsIsForThoseInProgress) {
  ApiServer server({.maxRequests = 2});
  server.create("ullas", server.user);
  auto gate = server.world.faults.block("getResourceUsage");
  int done = 0;
  for (int i = 0; i < 2; ++i) {
    server.loop.spawn([](ApiServer& api, int& count) -> awaitable<void> {
      net::HttpRequest request{.target = "/api/instances/ullas/usage", .headers = signedIn(api.user)};
      const net::HttpResponse response = co_await api.client().send(std::move(request), Deadline::after(std::chrono::seconds(10)));
      EXPECT_EQ(response.status, 200);
      ++count;
    }(server, done));
  }
  Response third;
  server.loop.run(gate->reached());
  server.loop.runUntil([&] { return (third = server.send({.target = "/api/instances/ullas"}, server.user)).status == 429; });
  EXPECT_EQ(third.header("Retry-After"), "5");
  EXPECT_THAT(third.at("detail"), HasSubstr("Limit of 2 requests in progress of one user"));
  EXPECT_EQ(server.send({.target = "/api/instances"}, server.stranger).status, 200);
  EXPECT_EQ(open(server, "/api/events", signedIn(server.user))->status(), 200) << "a stream has its own budget";
  EXPECT_EQ(server.send({.target = "/api/auth/sessions"}, server.user).status, 200) << "a session can be ended at any time";
  gate->open();
  server.loop.runUntil([&] { return done == 2; });
  EXPECT_EQ(server.send({.target = "/api/instances/ullas"}, server.user).status, 200);
}

/// Users who sign in from elsewhere are not affected by those who only begin to.
TEST(ApiBudget, ofBytesIsTheAddresssWithoutASignIn) {
  ApiServer server({.open = {.bytesPerUser = 20'000}});
  auto login = [&] {
    return server.send({"POST", "/api/auth/login", R"({"user":"ulla","password":"x"})" + std::string(8'000, ' ')}, "").status;
  };
  EXPECT_EQ(login(), 401);
  net::StreamPtr slow = server.connect();
  const std::string begun =
      "POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 16000\r\n\r\n{";
  server.loop.run([](net::Stream& stream, std::string bytes) -> awaitable<void> { co_await stream.writeAll(bytes); }(*slow, begun));
  server.loop.runUntil([&] { return login() == 429; });
  const std::string usual = R"({"user":"ulla","password":")" + server.password + "\"}";
  EXPECT_EQ(server.send({"POST", "/api/auth/login", usual}, "").status, 200) << "a usual one is not counted";
}

TEST(ApiBudget, ofARefusedBodyIsSpentByTinyChunksToo) {
  ApiServer server;
  std::string bytes = "PUT /api/instances/ullas/import HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 100'000; ++i) bytes += "1\r\nx\r\n";
  const std::string text = server.raw(bytes + "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(text, testing::StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(text, testing::Not(HasSubstr("HTTP/1.1 200 "))) << "the server did not read all of it";
}

/// Reads a request whole, and sends nothing after an upgrade's response.
awaitable<void> hang(net::Exchange& exchange) {
  net::StreamPtr stream;
  if (exchange.head().upgrade.empty()) {
    co_await net::readAll(exchange.body(), 100);
  } else {
    stream = co_await exchange.upgrade(
        {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="}});
  }
  co_await async::sleepUntil(Deadline::never());
}

TEST(ApiStreams, whoseClientsLeaveAnAgentThatHangsEnd) {
  for (const std::string request : {"GET /api/instances/ullas/exec HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nHost: a\r\n",
                                    "PUT /api/instances/ullas/import HTTP/1.1\r\nContent-Length: 0\r\nHost: a\r\n"}) {
    ApiServer server({.sessionCheck = std::chrono::milliseconds(5), .open = {.perUser = 1}, .leavePatience = std::chrono::milliseconds(0)});
    bool reached = false;
    server.inside.agent = [&](net::Exchange& exchange) {
      reached = true;
      return hang(exchange);
    };
    server.create("ullas", server.user);
    auto hasPlace = [&] { return open(server, "/api/events", signedIn(server.user))->status() == 200; };
    net::StreamPtr client = server.connect();
    server.loop.run([](net::Stream& stream, std::string bytes) -> awaitable<void> { co_await stream.writeAll(bytes); }(
                                                                   *client, request + "Authorization: Bearer " + server.user + "\r\n\r\n"));
    server.loop.runUntil([&] { return reached; });
    EXPECT_FALSE(hasPlace());
    client.reset();
    server.loop.runUntil(hasPlace);
  }
}

TEST(ApiStreams, aCommandWhoseClientLeavesIsCancelled) {
  const std::string body = R"({"command":["sleep","9"]})";
  for (bool closes : {true, false}) {
    ApiServer server({.sessionCheck = std::chrono::milliseconds(5), .open = {.perUser = 1}});
    server.create("ullas", server.user);
    auto gate = server.world.faults.block("executeCommand");
    auto hasPlace = [&] { return open(server, "/api/events", signedIn(server.user))->status() == 200; };
    net::StreamPtr client = server.connect();
    const std::string request = "POST /api/instances/ullas/exec HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
                                std::to_string(body.size()) + "\r\nAuthorization: Bearer " + server.user + "\r\n\r\n" + body;
    server.loop.run([](net::Stream& stream, std::string bytes) -> awaitable<void> { co_await stream.writeAll(bytes); }(*client, request));
    server.loop.run(gate->reached());
    EXPECT_FALSE(hasPlace());
    if (closes)
      client.reset();
    else
      server.loop.run([](net::Stream& stream) -> awaitable<void> { co_await stream.shutdownWrite(); }(*client));
    server.loop.runUntil(hasPlace);
  }
}

/// The rest of the body that the client announced can never come.
TEST(ApiStreams, anImportWhoseClientResetsInItsMiddleEnds) {
  ApiServer server({.sessionCheck = std::chrono::milliseconds(5), .open = {.perUser = 1}});
  bool reached = false;
  server.inside.agent = [&](net::Exchange&) -> awaitable<void> {
    reached = true;
    co_await async::sleepUntil(Deadline::never());
  };
  server.create("ullas", server.user);
  auto hasPlace = [&] { return open(server, "/api/events", signedIn(server.user))->status() == 200; };
  net::StreamPtr client = server.connect();
  const std::string request = "PUT /api/instances/ullas/import HTTP/1.1\r\nContent-Length: 100000000\r\nHost: a\r\nAuthorization: Bearer " +
                              server.user + "\r\n\r\n" + std::string(100'000, 'x');
  server.loop.run([](net::Stream& stream, std::string bytes) -> awaitable<void> { co_await stream.writeAll(bytes); }(*client, request));
  server.loop.runUntil([&] { return reached; });
  EXPECT_FALSE(hasPlace());
  client->abort();
  server.loop.runUntil(hasPlace);
}

TEST(ApiExec, anAgentsRefusalIsNeverTheCallersFault) {
  ApiServer server;
  int status = 500;
  std::string body(1'000'000, 'x');
  server.inside.agent = [&](net::Exchange& exchange) { return exchange.respond(status, {}, body); };
  server.create("ullas", server.user);
  net::Headers headers = signedIn(server.user, "websocket");
  headers.erase(headers.begin());
  auto ask = [&] { return server.send({.target = "/api/instances/ullas/exec", .headers = headers}, server.user); };
  Response huge = ask();
  EXPECT_EQ(huge.status, 502) << huge.text;
  EXPECT_LT(huge.text.size(), 2000u);
  status = 200;
  body = "{}";
  EXPECT_EQ(ask().status, 502) << "not an upgrade";
  status = 503;
  body = R"({"reason":"The workspace \u001b[2Jmoves."})";
  Response held = ask();
  EXPECT_EQ(held.status, 503) << held.text;
  EXPECT_THAT(held.at("detail"), HasSubstr("The workspace ␛[2Jmoves."));
}

/// The warnings and errors that were logged since.
class LoggedLines {
 public:
  LoggedLines() {
    log::setTap([this](const std::string& line) { lines_.push_back(line); });
  }
  ~LoggedLines() { log::setTap({}); }
  LoggedLines(const LoggedLines&) = delete;
  LoggedLines& operator=(const LoggedLines&) = delete;
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

/// Reads until `wanted` has come.
void readUntil(ApiServer& server, net::HttpExchange& exchange, std::string_view wanted) {
  std::string text;
  while (!text.contains(wanted)) {
    std::string piece = server.loop.run(exchange.read(Deadline::after(std::chrono::seconds(10))));
    ASSERT_FALSE(piece.empty());
    text += piece;
  }
}

TEST(ApiStreams, thatTheirClientsLeaveAreNotErrors) {
  ApiServer server({.open = {.perUser = 1}});
  server.create("ullas", server.user);
  LoggedLines logged;
  std::unique_ptr<net::HttpExchange> events;
  for (int i = 0; i < 3; ++i) {
    events.reset();
    server.loop.runUntil([&] {  // the server has noticed that the one before has gone
      events = open(server, "/api/events", signedIn(server.user));
      return events->status() == 200;
    });
    readUntil(server, *events, "retry:");
  }
  EXPECT_THAT(logged.lines(), ElementsAre());
}

TEST(ApiStreams, thatEndWithTheirSessionAreNotErrors) {
  ApiServer server({.sessionCheck = std::chrono::milliseconds(20)});
  std::string token = server.issue("ulla");
  auto events = open(server, "/api/events", signedIn(token));
  readUntil(server, *events, "retry:");
  LoggedLines logged;
  EXPECT_EQ(server.send({"POST", "/api/auth/logout"}, token).status, 204);
  try {
    while (!server.loop.run(events->read(Deadline::after(std::chrono::seconds(10)))).empty()) {
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  }
  EXPECT_EQ(server.get("/api/version").status, 200);
  EXPECT_THAT(logged.lines(), ElementsAre());
}

TEST(ApiStreams, ofManyEventsReachASlowClientPieceByPiece) {
  ApiServer server;
  auto events = open(server, "/api/events", signedIn(server.user));
  readUntil(server, *events, "retry:");
  const std::string text = "{\"x\":\"" + std::string(1000, 'x') + "\"}";
  for (int i = 0; i < 3000; ++i) server.controller->events().publishText(EventType::instance, "ulla", text);
  std::string id = "id: " + std::to_string(server.controller->events().lastId()) + "\n";
  std::size_t largest = 0;
  std::string seen;
  while (!seen.contains(id)) {
    std::string piece = server.loop.run(events->read(Deadline::after(std::chrono::seconds(10))));
    ASSERT_FALSE(piece.empty());
    largest = std::max(largest, piece.size());
    seen = seen.substr(seen.size() - std::min<std::size_t>(seen.size(), 100)) + piece;
  }
  EXPECT_LE(largest, 20'000u) << "one chunk is what the server holds for this client";
}

}  // namespace
}  // namespace swarm::test
