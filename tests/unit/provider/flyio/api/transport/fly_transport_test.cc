// FlyTransport against a scripted server: what is retried, what is not, and what errors report.
#include "provider/flyio/api/transport/fly_transport.h"

#include "base/text/format.h"
#include "support/net/large_response.h"
#include "support/net/raw_server.h"
#include "support/temp_dir.h"
#include "unit/provider/flyio/scripted_parts.h"

namespace swarm::flyio {
namespace {

using std::chrono::milliseconds;

class Transport : public ScriptedParts {
 protected:
  FlyTransport transport(std::string token = "fm2_secret", Tuning tuning = quickTuning()) {
    return FlyTransport(fly_.url(), Secret(std::move(token)), tuning);
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
  FlyReply send(FlyTransport& transport, FlyCall call) { return loop_.run(transport.send(std::move(call), soon())); }
};

TEST_F(Transport, aReadIsRetriedAfterAFailureOfThePlatform) {
  fly_.respond("GET /v1/apps/a1",
               {{502, "<html><title>Bad Gateway</title></html>"}, {503, ""}, {0, "", {}, true}, {200, R"({"name":"a1"})"}});
  FlyTransport fly = transport();
  EXPECT_EQ(send(fly, read("/v1/apps/a1")).status, 200);
  EXPECT_EQ(fly_.count("GET /v1/apps/a1"), 4);
}

TEST_F(Transport, aTokensFileIsReadAgainWhenItHasChanged) {
  const test::TempDir folder;
  const auto file = folder.write("token", "fm2_first\n");
  const FlyToken token(Secret(), file);
  EXPECT_EQ(token.current().reveal(), "fm2_first");
  folder.write("next", "FlyV1 fm2_second\n");
  std::filesystem::rename(folder / "next", file);
  EXPECT_EQ(token.current().reveal(), "FlyV1 fm2_second");
  folder.write("token", "two\nlines");
  EXPECT_EQ(token.current().reveal(), "FlyV1 fm2_second") << "the former one, while there is no token";
  std::filesystem::remove(file);
  EXPECT_EQ(token.current().reveal(), "FlyV1 fm2_second");
  folder.write("token", "fm2_third");
  EXPECT_EQ(token.current().reveal(), "fm2_third");
  EXPECT_THROW(FlyToken(Secret(), folder / "none"), Error);
  EXPECT_THROW(FlyToken(Secret("two\nlines")), Error);
}

TEST_F(Transport, aStoredTokenPrecedesThatOfTheConfiguration) {
  const test::TempDir folder;
  const FlyToken token(Secret(), folder.write("token", "fm2_file"));
  const FlyToken copy = token;
  EXPECT_EQ(token.describe().source, TokenSource::file);
  EXPECT_GT(token.describe().setAt, SystemTime{});
  const SystemTime now = RealClock().now();
  token.store(Secret("fm2_stored\n"), now);
  folder.write("token", "fm2_other");
  EXPECT_EQ(copy.current().reveal(), "fm2_stored");
  EXPECT_EQ(copy.describe().source, TokenSource::stored);
  EXPECT_EQ(copy.describe().setAt, now);
  EXPECT_THROW(token.store(Secret("two\nlines"), now), Error);
  EXPECT_EQ(copy.current().reveal(), "fm2_stored");
  token.store({}, {});
  EXPECT_EQ(copy.current().reveal(), "fm2_other");
  EXPECT_EQ(FlyToken(Secret("fm2_a"), {}, TokenSource::environment).describe().source, TokenSource::environment);
}

TEST_F(Transport, nothingIsSentWithoutAToken) {
  FlyTransport fly(fly_.url(), FlyToken(Secret()), quickTuning());
  try {
    send(fly, read("/v1/apps/a1"));
    ADD_FAILURE() << "sent";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_NE(error.message().find("swarm providers token flyio"), std::string::npos) << error.message();
  }
  EXPECT_EQ(fly_.count("GET /v1/apps/a1"), 0);
}

TEST_F(Transport, aRequestHasTheTokenAsItIsNow) {
  const test::TempDir folder;
  const auto file = folder.write("token", "fm2_first");
  std::vector<std::string> sent;
  test::RawServer server(loop_, [&](net::StreamPtr stream, int) -> awaitable<void> {
    const std::string head = co_await test::readUntil(*stream, "\r\n\r\n");
    const auto at = head.find("Authorization: ");
    sent.push_back(head.substr(at, head.find('\r', at) - at));
    co_await stream->writeAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
  });
  FlyTransport fly("http://" + net::toString(server.address()), FlyToken(Secret(), file), quickTuning());
  send(fly, read("/v1/apps/a1"));
  folder.write("token", "fm2_second");
  send(fly, read("/v1/apps/a1"));
  EXPECT_EQ(sent, (std::vector<std::string>{"Authorization: FlyV1 fm2_first", "Authorization: FlyV1 fm2_second"}));
}

TEST_F(Transport, aPageOfThirtyMegabytesLeavesTheLoopToOthers) {
  const std::string body = test::largeList();
  test::LoopTurns turns(loop_);
  int turns_then = 0;
  test::RawServer server(loop_, [&](net::StreamPtr stream, int) -> awaitable<void> {
    co_await test::readUntil(*stream, "\r\n\r\n");
    co_await test::sendHoldingTheLastByte(*stream, body, turns, turns_then);
  });
  FlyTransport fly("http://" + net::toString(server.address()), Secret("fm2_secret"), quickTuning());
  json::value page =
      loop_.run(fly.call(read("/v1/orgs/personal/machines"), Deadline::after(std::chrono::seconds(60))), std::chrono::seconds(60));
  EXPECT_EQ(page.as_array().size(), test::kLargeElements);
  EXPECT_GT(turns.count() - turns_then, 100) << "a few iterations of the loop cannot parse 30 MiB";
}

TEST_F(Transport, retriesAreLimitedAndTheErrorHasTheLastResponse) {
  fly_.respond("GET /v1/apps/a1", {{502, "<html><title>Bad Gateway</title></html>", {{"fly-request-id", "01J-ams"}}}});
  FlyTransport fly = transport();
  try {
    loop_.run(fly.call(read("/v1/apps/a1"), soon()));
    ADD_FAILURE() << "it succeeded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_EQ(error.upstream().requestId, "01J-ams");
    EXPECT_NE(error.message().find("Bad Gateway"), std::string::npos) << error.message();
  }
  EXPECT_EQ(fly_.count("GET /v1/apps/a1"), quickTuning().attempts);
}

TEST_F(Transport, aCreateWithAnUnknownResultIsNeverRetried) {
  FlyTransport fly = transport();
  for (ScriptedResponse response : {ScriptedResponse{502, "<html>"}, ScriptedResponse{503, ""}, ScriptedResponse{500, ""},
                                    ScriptedResponse{408, R"({"error":"deadline_exceeded: x"})"}, ScriptedResponse{0, "", {}, true}}) {
    int before = fly_.count("POST /v1/apps/a1/machines");
    fly_.respond("POST /v1/apps/a1/machines", {response});
    FlyReply reply = send(fly, create());
    EXPECT_TRUE(reply.isFateOpen()) << response.status;
    EXPECT_EQ(fly_.count("POST /v1/apps/a1/machines"), before + 1) << response.status;
  }
}

TEST_F(Transport, aRefusalSettlesTheResultOfACreate) {
  FlyTransport fly = transport();
  fly_.respond("POST /v1/apps/a1/machines", {{422, R"({"error":"could not find a candidate host","status":"insufficient_capacity"})"}});
  EXPECT_FALSE(send(fly, create()).isFateOpen());
  fly_.respond("POST /v1/apps/a1/machines", {{503, R"({"error":"out of capacity","status":"insufficient_capacity"})"}});
  EXPECT_FALSE(send(fly, create()).isFateOpen());
}

TEST_F(Transport, aRateLimitedRequestIsSentAgainAfterRetryAfter) {
  fly_.respond("POST /v1/apps/a1/machines", {{429, "", {{"Retry-After", "1"}}}, {200, R"({"id":"m1"})"}});
  FlyTransport fly = transport();
  SteadyTime begin = std::chrono::steady_clock::now();
  EXPECT_EQ(send(fly, create()).status, 200);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(1000));
  EXPECT_EQ(fly.refusedForRate(), 1);
}

TEST_F(Transport, aMissingServerIsUnavailable) {
  std::unique_ptr<net::Listener> taken = net::listenTcp(loop_.executor(), {"127.0.0.1", 0});
  std::string url = "http://127.0.0.1:" + std::to_string(taken->port());
  taken->close();
  taken.reset();
  FlyTransport fly(url, Secret("fm2_secret"), quickTuning());
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

TEST_F(Transport, waitingForTheRateLimitEndsWithTheDeadline) {
  fly_.respond("GET /v1/apps/a1", {{200, "{}"}});
  Tuning slow = quickTuning();
  slow.ratesTimes = 1;
  FlyTransport fly = transport("fm2_x", slow);
  for (int i = 0; i < 3; ++i) send(fly, read("/v1/apps/a1"));
  try {
    loop_.run(fly.send(read("/v1/apps/a1"), Deadline::after(milliseconds(50))));
    ADD_FAILURE() << "it did not wait for the rate limit";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::DeadlineExceeded);
  }
  EXPECT_EQ(fly_.count("GET /v1/apps/a1"), 3);
}

TEST_F(Transport, theTokenDecidesTheScheme) {
  EXPECT_EQ(authorizationFor("FlyV1 fm2_a,fm2_b"), "FlyV1 fm2_a,fm2_b");
  EXPECT_EQ(authorizationFor("fm2_a,fm2_b"), "FlyV1 fm2_a,fm2_b");
  EXPECT_EQ(authorizationFor("fm1r_a"), "FlyV1 fm1r_a");
  EXPECT_EQ(authorizationFor("oauth-token"), "Bearer oauth-token");
  fly_.respond("GET /v1/apps/a1", {{200, "{}"}});
  FlyTransport fly = transport("oauth-token");
  send(fly, read("/v1/apps/a1"));
  EXPECT_EQ(fly_.requests().back().authorization, "Bearer oauth-token");
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
  FlyTransport fly(format("https://127.0.0.1:{}", server.address().port), Secret("fm2_secret"), quickTuning());
  try {
    loop.run(fly.send({Action::Regions, "personal", "GET", "/v1/platform/regions", "list the regions"},
                      Deadline::after(std::chrono::seconds(10))));
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
