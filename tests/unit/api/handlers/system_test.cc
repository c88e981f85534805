// Health, readiness, the status of the swarm, and the hosts for which a proxy may obtain certificates.
#include <gtest/gtest.h>

#include "protocol/agent.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

TEST(ApiReadiness, endsWhileChangesCannotBeSaved) {
  std::optional<ErrorCode> failure;
  int checks = 0;
  ApiOptions options;
  options.checkStore = [&]() -> awaitable<void> {
    ++checks;
    if (failure) throw Error(*failure, "No space left on the disk of /srv/swarm.");
    co_return;
  };
  ApiServer server(options);
  const auto ready = [&] { return server.send({.target = "/readyz"}, ""); };
  const auto later = [&] { server.clock.advance(std::chrono::seconds(5)); };
  EXPECT_EQ(ready().at("status"), "ready");
  failure = ErrorCode::OutOfResources;
  later();
  const Response full = ready();
  EXPECT_EQ(full.status, 503);
  EXPECT_TRUE(full.at("detail").starts_with("The server's disk is full")) << full.text;
  EXPECT_EQ(full.text.find("/srv"), std::string::npos) << "anyone may read it: " << full.text;
  EXPECT_EQ(server.send({.target = "/healthz"}, "").status, 200);
  failure = ErrorCode::Unavailable;
  later();
  EXPECT_TRUE(ready().at("detail").starts_with("The server's disk cannot be written"));
  failure.reset();
  const int before = checks;
  EXPECT_EQ(ready().status, 503) << "requests share one check for some seconds";
  EXPECT_EQ(checks, before);
  later();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ready().status, 200);
  EXPECT_EQ(checks, before + 1);
}

ApiOptions onDomain(const std::vector<std::string>& proxies) {
  ApiOptions options;
  options.address = PublicAddress({"swarm.example.com", "example.dev"}, {.tls = true, .host = "swarm.example.com", .port = 443});
  options.trustedProxies = TrustedProxies(proxies);
  return options;
}

/// An agent of a workspace that listens on one port.
net::HttpHandler listenerOn(std::string port) {
  return [port](net::Exchange& exchange) -> awaitable<void> {
    if (exchange.head().path() == std::string(agent::kPortTunnelPrefix) + port)
      (void)co_await exchange.upgrade({{"Upgrade", std::string(agent::kTunnelProtocol)}, {"Connection", "Upgrade"}});
    else
      co_await exchange.respond(502, {}, "Nothing listens there.");
  };
}

TEST(ApiTlsAsk, namesTheHostsOfWorkspacesToATrustedProxy) {
  ApiServer server(onDomain({"127.0.0.1"}));
  server.inside.agent = listenerOn("3000");
  server.create("dev");
  const auto ask = [&](const std::string& domain) { return server.send({.target = "/api/tls/ask?domain=" + domain}, "").status; };
  for (const char* host :
       {"swarm.example.com", "SWARM.example.COM", "dev.example.dev", "DEV.example.dev.", "3000--dev.example.dev", "3000.dev.example.dev"})
    EXPECT_EQ(ask(host), 200) << host;
  for (const char* host :
       {"", "example.dev", "example.com", "dev.example.com", "other.example.dev", "3000--other.example.dev", "3001--dev.example.dev",
        "99999--dev.example.dev", "0--dev.example.dev", "a.dev.example.dev", "dev.example.dev.evil.com", "evil.com", "localhost",
        "127.0.0.1", "dev.example.dev%0a", "dev.example.dev%00", "*.example.dev"})
    EXPECT_NE(ask(host), 200) << host;
  EXPECT_EQ(ask(std::string(300, 'a')), 400);
  EXPECT_EQ(server.send({.target = "/api/tls/ask"}, "").status, 404);
}

TEST(ApiTlsAsk, revealsToNoOtherClientWhichWorkspacesExist) {
  const std::string target = "/api/tls/ask?domain=dev.example.dev";
  for (const bool trusted : {true, false}) {
    ApiServer server(onDomain(trusted ? std::vector<std::string>{"127.0.0.1"} : std::vector<std::string>{"10.0.0.7"}));
    server.create("dev");
    for (const net::Headers& headers : {net::Headers{{"X-Forwarded-For", "192.0.2.7"}}, net::Headers{{"X-Forwarded-For", ""}},
                                        net::Headers{{"Forwarded", "for=192.0.2.7"}}, net::Headers{}}) {
      if (trusted && headers.empty()) continue;
      const Response known = server.send({.target = target, .headers = headers}, "");
      const Response unknown = server.send({.target = "/api/tls/ask?domain=other.example.dev", .headers = headers}, "");
      EXPECT_EQ(known.status, 404);
      EXPECT_EQ(known.at("detail"), unknown.at("detail"));
    }
    EXPECT_EQ(server.send({.target = "/api/tls/ask?domain=swarm.example.com"}, "").status, 200);
  }
}

TEST(ApiSwarm, reportsItsStatus) {
  ApiServer server;
  server.create("one");
  server.create("two");
  server.post("/api/instances/two/stop?wait=10");
  Response status = server.get("/api/swarm/status");
  EXPECT_EQ(status.json.at("totalInstances").as_int64(), 2);
  EXPECT_EQ(status.json.at("runningInstances").as_int64(), 1);
  EXPECT_EQ(status.json.at("stoppedInstances").as_int64(), 1);
}

}  // namespace
}  // namespace swarm::test
