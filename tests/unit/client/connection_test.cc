// One call: what is sent, and what becomes of each kind of response.
#include "client/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/deadline.h"
#include "support/net/threaded_server.h"

namespace swarm::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Error errorOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorCode::Internal, "nothing was thrown");
}

/// A server with one response, and what it received last.
class OneResponse {
 public:
  OneResponse(int status, std::string body) : status_(status), body_(std::move(body)) {}
  ClientConfig config() const { return {.url = server_.url(), .token = Secret("t-1")}; }

  // Read after the response has arrived.
  std::string line, authorization, accept, body, contentType;

 private:
  async::awaitable<void> respond(net::Exchange& exchange) {
    line = std::string(exchange.head().method) + " " + std::string(exchange.head().target);
    authorization = exchange.head().headers.find("Authorization").value_or("");
    accept = exchange.head().headers.find("Accept").value_or("");
    contentType = exchange.head().headers.find("Content-Type").value_or("");
    body = co_await net::readAll(exchange.body(), 64 * 1024);
    co_await exchange.respond(status_, {{"X-Request-Id", "r-head"}}, body_);
  }

  int status_;
  std::string body_;
  test::ThreadedServer server_{[this](net::Exchange& exchange) { return respond(exchange); }};
};

TEST(ClientCall, sendsTheTokenAndTheBodyAndGivesTheDocument) {
  OneResponse server(200, R"({"name":"web"})");
  Connection connection(server.config());
  const boost::json::value body{{"name", "web"}};
  EXPECT_EQ(connection.call("POST", "/api/instances", &body), (boost::json::value{{"name", "web"}}));
  EXPECT_EQ(server.line, "POST /api/instances");
  EXPECT_EQ(server.authorization, "Bearer t-1");
  EXPECT_EQ(server.accept, "application/json");
  EXPECT_EQ(server.contentType, "application/json");
  EXPECT_EQ(server.body, R"({"name":"web"})");
}

TEST(ClientCall, sendsNoCredentialsWithoutAToken) {
  OneResponse server(200, "{}");
  ClientConfig config = server.config();
  config.token = {};
  Connection connection(config);
  connection.call("GET", "/api/version");
  EXPECT_EQ(server.authorization, "");
  EXPECT_EQ(server.contentType, "") << "there is no body";
}

TEST(ClientCall, givesNullForAnEmptyBody) {
  OneResponse server(204, "");
  Connection connection(server.config());
  EXPECT_TRUE(connection.call("DELETE", "/api/tokens/1").is_null());
}

TEST(ClientCall, findsNothingWhereTheServerSaysNotFoundAndThrowsEveryOtherError) {
  OneResponse missing(404, R"({"code":"not_found","detail":"There is no instance x."})");
  Connection to_missing(missing.config());
  EXPECT_EQ(to_missing.find("/api/instances/x"), std::nullopt);
  EXPECT_EQ(errorOf([&] { to_missing.call("GET", "/api/instances/x"); }).code(), ErrorCode::NotFound);
  OneResponse forbidden(403, R"({"code":"permission_denied","detail":"No."})");
  Connection to_forbidden(forbidden.config());
  EXPECT_EQ(errorOf([&] { to_forbidden.find("/api/instances/x"); }).code(), ErrorCode::PermissionDenied);
}

TEST(ClientCall, rejectsABodyThatIsNotJson) {
  OneResponse server(200, "<html>");
  Connection connection(server.config());
  EXPECT_THAT(errorOf([&] { connection.call("GET", "/api/version"); }).message(), HasSubstr("The server's response"));
}

TEST(ClientCall, endsAtARequestToStop) {
  std::stop_source source;
  test::ThreadedServer server([&](net::Exchange&) -> async::awaitable<void> {
    source.request_stop();  // the request has arrived
    co_await async::sleepFor(std::chrono::hours(1));
  });
  Connection connection({.url = server.url()});
  EXPECT_EQ(errorOf([&] { connection.call("GET", "/", nullptr, {}, {.stop = source.get_token()}); }).code(), ErrorCode::Cancelled);
}

TEST(ClientCall, namesTheNextStepWhenNoServerListens) {
  std::string url;
  {
    test::ThreadedServer server([](net::Exchange& exchange) { return exchange.respond(200, {}, ""); });
    url = server.url();
  }
  Connection connection({.url = url});
  const Error error = errorOf([&] { connection.call("GET", "/api/version"); });
  EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  EXPECT_THAT(error.message(), HasSubstr("swarm serve"));
}

TEST(ClientConnection, takesOnlyTheAddressOfAServer) {
  for (const char* url : {"", "swarm.localhost:7420", "ftp://swarm.localhost", "http://swarm.localhost:7420/api", "http://"}) {
    const Error error = errorOf([&] { Connection connection({.url = url}); });
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument) << url;
    EXPECT_THAT(error.message(), HasSubstr("is not a server address")) << url;
  }
  EXPECT_EQ(Connection({.url = "http://swarm.localhost:7420/"}).hostHeader(), "swarm.localhost:7420");
}

TEST(ErrorFromResponse, hasAllThatTheProblemDocumentSays) {
  const Error error = errorFromResponse(409, {{"X-Request-Id", "r-head"}, {"Retry-After", "7"}},
                                        R"({"code":"conflict","title":"Conflict","detail":"It is busy.","requestId":"r-body",)"
                                        R"("errors":[{"pointer":"/name","detail":"is taken"},{"pointer":"/image"}]})");
  EXPECT_EQ(error.code(), ErrorCode::Conflict);
  EXPECT_EQ(error.message(), "It is busy.");
  EXPECT_EQ(error.upstream().status, 409);
  EXPECT_EQ(error.upstream().requestId, "r-body") << "the document's own id, not a proxy's";
  EXPECT_EQ(error.retryAfter(), std::chrono::seconds(7));
  ASSERT_EQ(error.fields().size(), 1u) << "an entry without a text is left out";
  EXPECT_EQ(error.fields()[0].pointer, "/name");
  EXPECT_EQ(error.fields()[0].detail, "is taken");
}

TEST(ErrorFromResponse, usesTheTitleWithoutADetailAndKeepsAnUnknownCodeApart) {
  const Error error = errorFromResponse(418, {}, R"({"code":"of_a_later_version","title":"Teapot"})");
  EXPECT_EQ(error.code(), ErrorCode::UpstreamFailed);
  EXPECT_EQ(error.message(), "Teapot");
}

TEST(ErrorFromResponse, saysHowToSignIn) {
  EXPECT_THAT(errorFromResponse(401, {}, R"({"code":"unauthenticated","detail":"The token has expired."})").message(),
              HasSubstr("`swarm login`"));
}

TEST(ErrorFromResponse, recognisesAResponseThatIsNotOurs) {
  const std::pair<int, ErrorCode> expected[] = {
      {404, ErrorCode::NotFound}, {401, ErrorCode::Unauthenticated}, {502, ErrorCode::UpstreamFailed}};
  for (const auto& [status, code] : expected) {
    for (const char* body : {"<html>proxy</html>", "", "[1]", R"({"detail":"no code"})"}) {
      const Error error = errorFromResponse(status, {{"X-Request-Id", "r-1"}}, body);
      EXPECT_EQ(error.code(), code) << status << body;
      EXPECT_THAT(error.message(), HasSubstr("is not that of a swarm server")) << status << body;
      EXPECT_EQ(error.upstream().requestId, "r-1");
    }
  }
}

TEST(InstancePath, escapesTheReference) { EXPECT_EQ(instancePath("a/b c", "/start"), "/api/instances/a%2Fb%20c/start"); }

}  // namespace
}  // namespace swarm::client
