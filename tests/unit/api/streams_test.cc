// Streams: events and logs; and what describes the server.
#include <gtest/gtest.h>

#include "async/deadline.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

/// Reads a server's streamed response piece by piece until it holds `wanted`; gives all of it.
class StreamedResponse {
 public:
  StreamedResponse(ApiServer& server, std::string target, net::Headers headers) : server_(server) {
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
  StreamedResponse all(server, "/api/events", bearer(server.admin));
  StreamedResponse own(server, "/api/events", bearer(server.user));
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
  StreamedResponse resumed(server, "/api/events", headers);
  const std::string& text = resumed.readUntil("{\"n\":2}");
  EXPECT_EQ(text, "retry: 2000\n\nid: " + std::to_string(before + 2) + "\nevent: instance\ndata: {\"n\":2}\n\n");
}

TEST(ApiEvents, sayWhenSomeWereLost) {
  ApiServer server;
  for (int i = 0; i < 5000; ++i) server.controller->events().publish(EventType::instance, "ulla", {});
  for (std::string id : {"0", "999999"}) {
    net::Headers headers = bearer(server.user);
    headers.push_back({"Last-Event-ID", id});
    StreamedResponse resumed(server, "/api/events", headers);
    EXPECT_NE(resumed.readUntil("event: reset").find("event: reset"), std::string::npos);
  }
}

TEST(ApiEvents, beatWhileNothingHappens) {
  ApiServer server({.heartbeat = std::chrono::seconds(1)});
  StreamedResponse events(server, "/api/events", bearer(server.user));
  EXPECT_NE(events.readUntil(": heartbeat").find(": heartbeat\n\n"), std::string::npos);
}

TEST(ApiEvents, endWithTheSession) {
  ApiServer server({.sessionCheck = std::chrono::milliseconds(50)});
  std::string token = server.issue("ulla");
  StreamedResponse events(server, "/api/events", bearer(token));
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
    StreamedResponse events(server, "/api/events", bearer(server.stranger));
    StreamedResponse others(server, "/api/events", bearer(server.user));
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
  StreamedResponse theirs(server, "/api/events", bearer(server.stranger));
  StreamedResponse others(server, "/api/events", bearer(server.viewer));
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
    const Response made = server.send({"POST", "/api/tokens", R"({"name":"agent"})"}, server.stranger);
    ASSERT_EQ(made.status, 201) << made.text;
    StreamedResponse events(server, "/api/events", bearer(made.at("token")));
    StreamedResponse sessions(server, "/api/events", bearer(server.user));
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
  StreamedResponse one(server, "/api/events", bearer(server.user));
  {
    StreamedResponse two(server, "/api/events", bearer(server.user));
    Response third = server.send({.target = "/api/events"}, server.user);
    EXPECT_EQ(third.status, 429);
    EXPECT_EQ(third.header("Retry-After"), "5");
    EXPECT_EQ(StreamedResponse(server, "/api/events", bearer(server.admin)).status(), 200);
  }
  // The closed one's place comes free once the server has noticed.
  server.loop.runUntil([&] {
    StreamedResponse again(server, "/api/events", bearer(server.user));
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
  Response text = server.get("/api/instances/one/logs?tail=5&since=2026-01-02T03:04:05Z");
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
  StreamedResponse followed(server, "/api/instances/ullas/logs?follow=true", bearer(token));
  EXPECT_EQ(followed.readUntil("hello"), "hello\n");
  server.send({"POST", "/api/auth/logout"}, token);
  EXPECT_TRUE(followed.ends());
}

TEST(ApiLogs, areUnsupportedWhereAProviderHasNone) {
  ApiServer server;
  server.create("one");
  Response response = server.get("/api/instances/one/logs");
  EXPECT_EQ(response.status, 501) << response.text;
  EXPECT_EQ(response.at("code"), "unsupported");
}

TEST(ApiMetrics, countRequestsInstancesOperationsAndTheProcess) {
  ApiServer server;
  server.create("one");
  server.get("/api/instances/absent");
  Response first = server.get("/metrics");
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
  Response response = server.get("/api/openapi.json");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.json.at("paths").as_object().contains("/api/instances/{id}/token"));
  EXPECT_EQ(server.get("/api/version").at("version"), SWARM_VERSION);
}

}  // namespace
}  // namespace swarm::test
