// Routing from a Host to a Machine, and the response if there is none.
#include "base/text/format.h"
#include "emulator/edge/forward.h"
#include "unit/emulator/edge/fixture.h"

namespace swarm::emulator {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-App: yes\r\n\r\nhello";

TEST(EdgeHost, namesAnAppAndMaybeAPort) {
  const std::vector<std::string> domains{"fly.localhost", "fly.dev"};
  EXPECT_EQ(parseEdgeHost("my-app.fly.localhost", domains), (EdgeAddress{"my-app", 0}));
  EXPECT_EQ(parseEdgeHost("My-App.Fly.Dev", domains), (EdgeAddress{"my-app", 0}));
  EXPECT_EQ(parseEdgeHost("8080--my-app.fly.localhost", domains), (EdgeAddress{"my-app", 8080}));
  EXPECT_EQ(parseEdgeHost("my--app.fly.localhost", domains), (EdgeAddress{"my--app", 0}));
  EXPECT_EQ(parseEdgeHost("70000--app.fly.localhost", domains), (EdgeAddress{"70000--app", 0}));
  for (const char* other :
       {"fly.localhost", ".fly.localhost", "a.b.fly.localhost", "app.example.com", "appfly.localhost", "443--.fly.dev"}) {
    EXPECT_EQ(parseEdgeHost(other, domains), std::nullopt) << other;
  }
}

TEST_F(EdgeTest, aRequestReachesTheMachineWithTheEdgesHeaders) {
  startResponding(std::string(kHello));
  std::string response = exchange(get(
      "app.fly.localhost:4281", "Swarm-Token: t\r\nX-Hop: 1\r\nConnection: X-Hop\r\nFly-Client-IP: 6.6.6.6\r\nFly-Emulator-Port: 443\r\n"));
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("X-App: yes\r\n"));
  EXPECT_THAT(response, HasSubstr("\r\nfly-request-id: "));
  EXPECT_THAT(response, ::testing::EndsWith("\r\n\r\nhello"));
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_THAT(requests[0], StartsWith("GET /path?q=1 HTTP/1.1\r\nHost: app.fly.localhost:4281\r\nSwarm-Token: t\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("\r\nFly-Client-IP: 127.0.0.1\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("\r\nX-Forwarded-Proto: http\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("\r\nFly-Forwarded-Port: 443\r\n"));
  for (const char* gone : {"X-Hop", "6.6.6.6", "Fly-Emulator-Port"}) EXPECT_THAT(requests[0], Not(HasSubstr(gone)));
  EXPECT_EQ(requested_machine, "m1");
  EXPECT_EQ(requested_port, 7777);
}

TEST_F(EdgeTest, aForcedInstanceIsRequested) {
  startResponding(std::string(kHello));
  exchange(get("app.fly.localhost", "fly-force-instance-id: 3d8d413b29d089\r\n"));
  ASSERT_EQ(queries.size(), 1U);
  EXPECT_EQ(queries[0].forceInstance, "3d8d413b29d089");
  EXPECT_EQ(requested_machine, "3d8d413b29d089");
}

TEST_F(EdgeTest, onePortServesAllHttpServices) {
  startResponding(std::string(kHello));
  auto requestedPort = [&](std::string request) {
    queries.clear();
    exchange(std::move(request));
    return queries.empty() ? 0 : queries[0].externalPort;
  };
  services = {{"other", 443, "tcp", {"tls", "http"}}, {"app", 5432, "tcp", {"pg_tls"}}};
  EXPECT_EQ(requestedPort(get("app.fly.localhost")), 443) << "no Machine serves it, and the response reports it";
  services.push_back({"app", 8080, "tcp", {"http"}});
  EXPECT_EQ(requestedPort(get("app.fly.localhost")), 8080);
  services.push_back({"app", 80, "tcp", {"http"}});
  EXPECT_EQ(requestedPort(get("app.fly.localhost")), 80);
  services.push_back({"app", 443, "tcp", {"tls", "http"}});
  EXPECT_EQ(requestedPort(get("app.fly.localhost")), 443);
  EXPECT_EQ(requestedPort(get("8080--app.fly.localhost")), 8080);
  EXPECT_EQ(requestedPort(get("app.fly.localhost", "Fly-Emulator-Port: 80\r\n")), 80);
  EXPECT_THAT(exchange(get("app.fly.localhost", "Fly-Emulator-Port: none\r\n")), StartsWith("HTTP/1.1 400 "));
}

TEST_F(EdgeTest, aHostWithoutAnAppIsNotFound) {
  startResponding(std::string(kHello));
  EXPECT_THAT(exchange(get("example.com")), StartsWith("HTTP/1.1 404 "));
  EXPECT_TRUE(queries.empty());
}

TEST_F(EdgeTest, whatTheEmulatorRefusesIsPassedOn) {
  startResponding(std::string(kHello));
  refusal = EdgeRefusal{503, "the Machine is stopped"};
  std::string response = exchange(get("app.fly.localhost"));
  EXPECT_THAT(response, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(response, HasSubstr("the Machine is stopped"));
}

TEST_F(EdgeTest, aMachineThatDoesNotAnswerIsABadGateway) {
  startEdge();
  EXPECT_THAT(exchange(get("app.fly.localhost")), StartsWith("HTTP/1.1 502 ")) << "nothing listens";
  startResponding("");
  EXPECT_THAT(exchange(get("app.fly.localhost")), StartsWith("HTTP/1.1 502 ")) << "it closes";
  startResponding("I am no web server\r\n\r\n");
  EXPECT_THAT(exchange(get("app.fly.localhost")), StartsWith("HTTP/1.1 502 ")) << "it uses another protocol";
}

}  // namespace
}  // namespace swarm::emulator
