// MachinesClient against a scripted server: what is retried, what is not, and what errors report.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "base/text/format.h"
#include "provider/flyio/api/json_access.h"
#include "provider/flyio/flyio_provider.h"
#include "support/net/large_answer.h"
#include "support/net/raw_server.h"
#include "unit/flyio/scripted_fly.h"

namespace swarm::flyio {
namespace {

using std::chrono::milliseconds;

Tuning quick() {
  Tuning tuning;
  tuning.firstPause = milliseconds(1);
  tuning.longestPause = milliseconds(4);
  tuning.lookFor = milliseconds(60);
  tuning.boundPatience = milliseconds(60);
  tuning.ratesTimes = 1000;
  return tuning;
}

class Client : public ::testing::Test {
 protected:
  MachinesClient client(std::string token = "fm2_secret", Tuning tuning = quick()) {
    return MachinesClient(fly_.url(), Secret(std::move(token)), "personal", tuning);
  }
  static FlyCall read(std::string target) {
    return {.action = Action::GetApp, .id = "a1", .target = std::move(target), .doing = "read it"};
  }
  static FlyCall create() {
    return {.action = Action::CreateMachine,
            .id = "a1",
            .method = "POST",
            .target = "/v1/apps/a1/machines",
            .doing = "create the Machine",
            .body = json::object{{"name", "x"}},
            .repeat = Repeat::Never};
  }
  static Deadline soon() { return Deadline::after(std::chrono::seconds(10)); }
  FlyReply send(MachinesClient& client, FlyCall call) { return loop_.run(client.send(std::move(call), soon())); }

  test::TestLoop loop_;
  ScriptedFly fly_{loop_};
};

TEST_F(Client, aReadIsRetriedAfterAFailureOfThePlatform) {
  fly_.answer("GET /v1/apps/a1",
              {{502, "<html><title>Bad Gateway</title></html>"}, {503, ""}, {0, "", {}, true}, {200, R"({"name":"a1"})"}});
  MachinesClient fly = client();
  EXPECT_EQ(send(fly, read("/v1/apps/a1")).status, 200);
  EXPECT_EQ(fly_.count("GET /v1/apps/a1"), 4);
}

TEST_F(Client, aPageOfThirtyMegabytesLeavesTheLoopToOthers) {
  const std::string body = test::largeList();
  test::LoopTurns turns(loop_);
  int turns_then = 0;
  test::RawServer server(loop_, [&](net::StreamPtr stream, int) -> awaitable<void> {
    co_await test::readUntil(*stream, "\r\n\r\n");
    co_await test::sendHoldingTheLastByte(*stream, body, turns, turns_then);
  });
  MachinesClient fly("http://" + net::toString(server.address()), Secret("fm2_secret"), "personal", quick());
  json::value page =
      loop_.run(fly.call(read("/v1/orgs/personal/machines"), Deadline::after(std::chrono::seconds(60))), std::chrono::seconds(60));
  EXPECT_EQ(page.as_array().size(), test::kLargeElements);
  EXPECT_GT(turns.count() - turns_then, 100) << "a few iterations of the loop cannot parse 30 MiB";
}

TEST_F(Client, retriesAreLimitedAndTheErrorHasTheLastResponse) {
  fly_.answer("GET /v1/apps/a1", {{502, "<html><title>Bad Gateway</title></html>", {{"fly-request-id", "01J-ams"}}}});
  MachinesClient fly = client();
  try {
    loop_.run(fly.call(read("/v1/apps/a1"), soon()));
    ADD_FAILURE() << "it succeeded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_EQ(error.upstream().requestId, "01J-ams");
    EXPECT_NE(error.message().find("Bad Gateway"), std::string::npos) << error.message();
  }
  EXPECT_EQ(fly_.count("GET /v1/apps/a1"), quick().attempts);
}

TEST_F(Client, aCreateWithAnUnknownResultIsNeverRetried) {
  MachinesClient fly = client();
  for (ScriptedAnswer answer : {ScriptedAnswer{502, "<html>"}, ScriptedAnswer{503, ""}, ScriptedAnswer{500, ""},
                                ScriptedAnswer{408, R"({"error":"deadline_exceeded: x"})"}, ScriptedAnswer{0, "", {}, true}}) {
    int before = fly_.count("POST /v1/apps/a1/machines");
    fly_.answer("POST /v1/apps/a1/machines", {answer});
    FlyReply reply = send(fly, create());
    EXPECT_TRUE(reply.isFateOpen()) << answer.status;
    EXPECT_EQ(fly_.count("POST /v1/apps/a1/machines"), before + 1) << answer.status;
  }
}

TEST_F(Client, aRefusalSettlesTheResultOfACreate) {
  MachinesClient fly = client();
  fly_.answer("POST /v1/apps/a1/machines", {{422, R"({"error":"could not find a candidate host","status":"insufficient_capacity"})"}});
  EXPECT_FALSE(send(fly, create()).isFateOpen());
  fly_.answer("POST /v1/apps/a1/machines", {{503, R"({"error":"out of capacity","status":"insufficient_capacity"})"}});
  EXPECT_FALSE(send(fly, create()).isFateOpen());
}

TEST_F(Client, aRateLimitedRequestIsSentAgainAfterRetryAfter) {
  fly_.answer("POST /v1/apps/a1/machines", {{429, "", {{"Retry-After", "1"}}}, {200, R"({"id":"m1"})"}});
  MachinesClient fly = client();
  SteadyTime begin = std::chrono::steady_clock::now();
  EXPECT_EQ(send(fly, create()).status, 200);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(1000));
  EXPECT_EQ(fly.refusedForRate(), 1);
}

TEST_F(Client, aMissingServerIsUnavailable) {
  std::unique_ptr<net::Listener> taken = net::listenTcp(loop_.executor(), {"127.0.0.1", 0});
  std::string url = "http://127.0.0.1:" + std::to_string(taken->port());
  taken->close();
  taken.reset();
  MachinesClient fly(url, Secret("fm2_secret"), "personal", quick());
  try {
    send(fly, create());
    ADD_FAILURE() << "it succeeded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_TRUE(error.retryable());
    EXPECT_NE(error.message().find(url), std::string::npos);
    EXPECT_EQ(error.message().find("fm2_secret"), std::string::npos);
  }
}

TEST_F(Client, waitingForTheRateLimitEndsWithTheDeadline) {
  fly_.answer("GET /v1/apps/a1", {{200, "{}"}});
  Tuning slow = quick();
  slow.ratesTimes = 1;
  MachinesClient fly = client("fm2_x", slow);
  for (int i = 0; i < 3; ++i) send(fly, read("/v1/apps/a1"));
  try {
    loop_.run(fly.send(read("/v1/apps/a1"), Deadline::after(milliseconds(50))));
    ADD_FAILURE() << "it did not wait for the rate limit";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::DeadlineExceeded);
  }
  EXPECT_EQ(fly_.count("GET /v1/apps/a1"), 3);
}

TEST_F(Client, theTokenDecidesTheScheme) {
  EXPECT_EQ(authorizationFor("FlyV1 fm2_a,fm2_b"), "FlyV1 fm2_a,fm2_b");
  EXPECT_EQ(authorizationFor("fm2_a,fm2_b"), "FlyV1 fm2_a,fm2_b");
  EXPECT_EQ(authorizationFor("fm1r_a"), "FlyV1 fm1r_a");
  EXPECT_EQ(authorizationFor("oauth-token"), "Bearer oauth-token");
  fly_.answer("GET /v1/apps/a1", {{200, "{}"}});
  MachinesClient fly = client("oauth-token");
  send(fly, read("/v1/apps/a1"));
  EXPECT_EQ(fly_.requests().back().authorization, "Bearer oauth-token");
}

TEST_F(Client, theAffinityCookieGoesBack) {
  fly_.answer("POST /v1/apps/a1/machines", {{200, R"({"id":"m1"})", {{"Set-Cookie", "fly_flaps_affinity=host-7; Path=/v1/apps/a1"}}}});
  fly_.answer("GET /v1/apps/a1/machines/m1", {{200, R"({"id":"m1"})"}});
  MachinesClient fly = client();
  send(fly, create());
  loop_.run(fly.findMachine("a1", "m1", soon()));
  EXPECT_EQ(fly_.requests().back().cookie, "fly_flaps_affinity=host-7");
}

TEST_F(Client, aNewThingMayBeUnknownForAWhile) {
  fly_.answer("GET /v1/apps/a1/machines/m1",
              {{404, R"({"error":"machine not found"})"}, {404, R"({"error":"machine not found"})"}, {200, R"({"id":"m1"})"}});
  MachinesClient fly = client();
  EXPECT_TRUE(loop_.run(fly.findMachine("a1", "m1", soon(), true)));
  for (const char* unknown : {"m2", "m3"}) {
    fly_.answer(std::string("GET /v1/apps/a1/machines/") + unknown, {{404, R"({"error":"machine not found"})"}});
  }
  EXPECT_FALSE(loop_.run(fly.findMachine("a1", "m2", soon(), true)));
  int before = fly_.count("GET /v1/apps/a1/machines/m3");
  EXPECT_FALSE(loop_.run(fly.findMachine("a1", "m3", soon())));
  EXPECT_EQ(fly_.count("GET /v1/apps/a1/machines/m3"), before + 1);
}

TEST_F(Client, anUnknownPathDoesNotMeanAbsence) {
  MachinesClient fly = client();
  for (const char* body : {"404 page not found", "<html><title>Not Found</title></html>"}) {
    fly_.answer("GET /v1/apps/a1/machines/m1", {{404, body}});
    EXPECT_THROW(loop_.run(fly.findMachine("a1", "m1", soon())), Error) << body;
  }
}

TEST_F(Client, anUnexpectedBodyInASuccessfulResponseIsAnError) {
  MachinesClient fly = client();
  for (std::string_view body : {"<html>", "{", "\"text\"", "[]", "7"}) {
    fly_.answer("GET /v1/apps/a1/machines/m1", {{200, std::string(body)}});
    EXPECT_THROW(loop_.run(fly.findMachine("a1", "m1", soon())), Error) << body;
  }
  fly_.answer("GET /v1/apps/a1/machines", {{200, "{}"}});
  EXPECT_THROW(loop_.run(fly.listMachines("a1", false, soon())), Error);
}

TEST_F(Client, aWaitThatTimesOutDoesNotFail) {
  fly_.answer("GET /v1/apps/a1/machines/m1/wait", {{408, R"({"error":"deadline_exceeded: machine failed to reach desired state"})"},
                                                   {200, R"({"ok":true,"state":"started"})"},
                                                   {404, R"({"error":"machine not found"})"}});
  MachinesClient fly = client();
  Machine machine;
  machine.app = "a1";
  machine.id = "m1";
  machine.version = "01HEPA330HZ37A78TK080NAK1M";
  EXPECT_FALSE(loop_.run(fly.wait(machine, "started,failed", std::chrono::seconds(5), soon())).reached);
  EXPECT_EQ(fly_.requests().back().line,
            "GET /v1/apps/a1/machines/m1/wait?state=started,failed&timeout=5&version=01HEPA330HZ37A78TK080NAK1M");
  EXPECT_EQ(loop_.run(fly.wait(machine, "started", std::chrono::seconds(5), soon())).state, "started");
  EXPECT_TRUE(loop_.run(fly.wait(machine, "started", std::chrono::seconds(5), soon())).gone);
}

TEST(Urls, areTakenApart) {
  net::Url url = serverUrl("https://api.machines.dev", "apiBaseUrl");
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "api.machines.dev");
  EXPECT_EQ(url.port, 443);
  EXPECT_EQ(url.authority(), "api.machines.dev");
  url = serverUrl("http://127.0.0.1:4280/", "apiBaseUrl");
  EXPECT_FALSE(url.tls);
  EXPECT_EQ(url.authority(), "127.0.0.1:4280");
  for (const char* wrong : {"", "api.machines.dev", "ftp://x", "http://", "http://a/b", "http://user@host"}) {
    EXPECT_THROW(serverUrl(wrong, "apiBaseUrl"), Error) << wrong;
  }
}

TEST(ClientByTls, sendsNothingToAServerThatDoesNotSpeakTls) {
  test::TestLoop loop;
  std::string received;
  test::RawServer server(loop, [&](net::StreamPtr stream, int) -> boost::asio::awaitable<void> {
    std::vector<char> buffer(4096);
    net::IoResult got = co_await stream->readSome(boost::asio::buffer(buffer));
    received.append(buffer.data(), got.bytes);
    co_await stream->writeAll(std::string_view("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
  });
  MachinesClient fly(format("https://127.0.0.1:{}", server.address().port), Secret("fm2_secret"), "personal", quick());
  try {
    loop.run(fly.regions(Deadline::after(std::chrono::seconds(10))));
    FAIL() << "the server was trusted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_NE(error.message().find("TLS handshake"), std::string::npos) << error.message();
  }
  EXPECT_FALSE(received.empty());
  EXPECT_EQ(received.find("fm2_secret"), std::string::npos);
  EXPECT_EQ(received.find("HTTP/1.1"), std::string::npos);
}

}  // namespace
}  // namespace swarm::flyio
