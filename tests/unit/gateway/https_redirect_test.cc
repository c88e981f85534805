// The plain port beside TLS: where it sends browsers, and where it sends them never.
#include "gateway/https_redirect.h"

#include <gmock/gmock.h>

#include "gateway/refusals.h"
#include "support/coroutine_test.h"
#include "support/net/raw_server.h"

namespace swarm::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpsRedirect : public ::testing::Test {
 protected:
  std::string send(std::string request) {
    auto exchange = [](net::HostPort to, std::string text) -> async::awaitable<std::string> {
      const net::StreamPtr stream = co_await net::connectTcp(std::move(to), Deadline::after(std::chrono::seconds(10)));
      co_await stream->writeAll(text);
      co_return co_await test::readToEnd(*stream);
    };
    test::TestLoop loop;
    net::HttpServerOptions options;
    options.refusal = refusalResponse;
    net::HttpServer server(
        net::listenTcp(loop.executor(), {"127.0.0.1", 0}), [this](net::Exchange& e) { return redirectToHttps(e, address); }, options);
    loop.spawn(server.run());
    return loop.run(exchange({"127.0.0.1", server.port()}, std::move(request)));
  }
  std::string get(const std::string& host, const std::string& target = "/") {
    return send("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  }
  static std::string locationOf(const std::string& response) {
    const auto begin = response.find("Location: ");
    if (begin == std::string::npos) return "none";
    return response.substr(begin + 10, response.find("\r\n", begin) - begin - 10);
  }

  PublicAddress address{{"swarm.example.com", "example.dev"}, {.tls = true, .host = "swarm.example.com", .port = 443}};
};

TEST_F(HttpsRedirect, keepsHostPathAndQuery) {
  const std::string response = get("swarm.example.com", "/login?next=%2Fa");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 308 "));
  EXPECT_THAT(response, HasSubstr("Connection: close"));
  EXPECT_EQ(locationOf(response), "https://swarm.example.com/login?next=%2Fa");
  EXPECT_EQ(locationOf(get("dev.example.dev:80", "/a")), "https://dev.example.dev/a");
  EXPECT_EQ(locationOf(get("DEV.example.DEV.", "/a")), "https://dev.example.dev/a");
  EXPECT_EQ(locationOf(get("3000.dev.example.dev")), "https://3000--dev.example.dev/");
  EXPECT_EQ(locationOf(get("127.0.0.1:8080", "/x")), "https://swarm.example.com/x");
}

TEST_F(HttpsRedirect, namesThePublicPort) {
  address = PublicAddress({"swarm.localhost", "localhost"}, {.tls = true, .host = "swarm.localhost", .port = 7443});
  EXPECT_EQ(locationOf(get("swarm.localhost:7480", "/x")), "https://swarm.localhost:7443/x");
  EXPECT_EQ(locationOf(get("3000.dev.localhost:7480")), "https://3000.dev.localhost:7443/");
}

TEST_F(HttpsRedirect, leadsToNoOtherServer) {
  for (const char* host : {"evil.com", "swarm.example.com.evil.com", "swarm.example.com@evil.com", "evil.com/swarm.example.com",
                           "evil.com#.example.dev", "evil.com\\.example.dev", "a_b.example.dev", "-.example.dev", "example.dev",
                           ".example.dev", "xn--.example.dev\x7f", "[::2]", "swarm.example.com\tevil.com"}) {
    const std::string response = get(host);
    EXPECT_THAT(response, Not(HasSubstr("Location"))) << host;
    EXPECT_THAT(response, Not(StartsWith("HTTP/1.1 3"))) << host;
  }
  EXPECT_THAT(send("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(send("GET / HTTP/1.1\r\nHost: swarm.example.com\r\nHost: evil.com\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(send("GET http://evil.com/ HTTP/1.1\r\nHost: swarm.example.com\r\n\r\n"), Not(HasSubstr("Location")));
  for (const char* target : {"//evil.com/", "/\\evil.com", "/%0d%0aSet-Cookie:%20a=b"})
    EXPECT_THAT(get("swarm.example.com", target), Not(HasSubstr("https://evil"))) << target;
}

TEST_F(HttpsRedirect, servesNothing) {
  for (const std::string& request : {std::string("POST /login HTTP/1.1\r\nHost: swarm.example.com\r\nContent-Length: 3\r\n\r\na=b"),
                                     std::string("DELETE /api/instances/dev HTTP/1.1\r\nHost: swarm.example.com\r\n\r\n")}) {
    const std::string response = send(request);
    EXPECT_THAT(response, StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(response, HasSubstr("without encryption"));
  }
  EXPECT_THAT(send("GET / HTTP/1.1\r\nHost: dev.example.dev\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
              StartsWith("HTTP/1.1 308 "));
}

}  // namespace
}  // namespace swarm::gateway
