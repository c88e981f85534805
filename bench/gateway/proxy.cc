// Our gateway as the benchmark runs it: one thread, the real HTTP server and cookie check, and plain TCP to the application instead of an
// agent. Prints the cookie that a request needs. Usage: gateway_proxy PORT UPSTREAM_PORT
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "auth/browser/cookies.h"
#include "base/id.h"
#include "gateway/gateway.h"
#include "net/connect.h"

namespace swarm {
namespace {

/// Signs and checks cookies as the server does, HMAC and all, but for one user and without a store.
class OneUser final : public Auth {
 public:
  explicit OneUser(const Clock& clock) : principal_{"ada", Role::user, "s", clock.now() + std::chrono::hours(1)} {}
  awaitable<std::optional<Secret>> initialise() override { co_return std::nullopt; }
  awaitable<LoginResult> login(std::string, Secret, LoginOrigin, std::string) override { throw Error(ErrorCode::Unauthenticated, "No."); }
  awaitable<LoginResult> beginFollowing(std::string, ProviderSession, LoginOrigin) override {
    throw Error(ErrorCode::Unauthenticated, "No.");
  }
  awaitable<LoginResult> issue(std::string, std::chrono::seconds) override { throw Error(ErrorCode::Unauthenticated, "No."); }
  awaitable<std::optional<LoginResult>> refresh(Principal) override { co_return std::nullopt; }
  std::vector<SessionRecord> listSessions(std::string_view) const override { return {}; }
  awaitable<void> endSession(SessionRecord) override { co_return; }
  awaitable<void> logout(Principal) override { co_return; }
  std::optional<Principal> verifyApiToken(std::string_view) const override { return std::nullopt; }
  std::string issueInstanceCookie(const Principal& principal, std::string_view instance_id) override {
    const auto text = principal.user + "|" + std::string(instance_id);
    return toBase64Url(text) + "." + toBase64Url(hmacSha256(key_, text));
  }
  std::optional<Principal> verifyInstanceCookie(std::string_view value, std::string_view instance_id) const override {
    const auto dot = value.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto text = fromBase64Url(value.substr(0, dot));
    if (!text || !equalConstantTime(toBase64Url(hmacSha256(key_, *text)), value.substr(dot + 1))) return std::nullopt;
    if (*text != principal_.user + "|" + std::string(instance_id)) return std::nullopt;
    return principal_;
  }
  std::optional<Principal> verifyAnyInstanceCookie(std::string_view) const override { return std::nullopt; }
  std::optional<Principal> stillSignedIn(const Principal& principal) const override { return principal; }
  std::string issueSessionCookie(const Principal&) override { return {}; }
  std::optional<Principal> verifySessionCookie(std::string_view) const override { return std::nullopt; }
  std::string issueDevice(const Principal&, std::string_view) override { return {}; }
  std::string markOf(std::string_view) const override { return {}; }
  std::string issueCode(const Principal&, std::string_view, std::string_view) override { return {}; }
  std::optional<Principal> takeCode(std::string_view, std::string_view, std::string_view) override { return std::nullopt; }
  std::string issueLoginLink(const Principal&) override { return {}; }
  std::optional<std::string> userOfLoginLink(std::string_view) override { return std::nullopt; }
  awaitable<std::optional<LoginResult>> takeLoginLink(std::string, LoginOrigin) override { co_return std::nullopt; }
  awaitable<void> putUser(std::string, Secret, Role) override { co_return; }
  Accounts& accounts() override { throw Error(ErrorCode::Internal, "Not here."); }
  SecondFactors& secondFactors() override { throw Error(ErrorCode::Internal, "Not here."); }
  Sharing& sharing() override { throw Error(ErrorCode::Internal, "Not here."); }
  Groups& groups() override { throw Error(ErrorCode::Internal, "Not here."); }
  std::vector<TokenKeyInfo> tokenKeys() const override { return {}; }
  awaitable<TokenKeyInfo> rotateTokenKey() override { co_return TokenKeyInfo(); }
  awaitable<void> renewTokenKey() override { co_return; }
  AccessTokens& accessTokens() override { std::terminate(); }
  SshKeys& sshKeys() override { std::terminate(); }
  ProgramSignIns& programs() override { std::terminate(); }
  awaitable<std::optional<LoginResult>> beginForProgram(Principal, LoginOrigin) override { co_return std::nullopt; }
  const Principal& principal() const { return principal_; }

 private:
  std::string key_ = randomBytes(32);
  Principal principal_;
};

class PlainTcp final : public gateway::UpstreamConnector {
 public:
  explicit PlainTcp(std::uint16_t port) : port_(port) {}
  awaitable<net::StreamPtr> connect(std::shared_ptr<const InstanceRoute>, std::uint16_t, Deadline deadline) override {
    return net::connectTcp({"127.0.0.1", port_}, deadline);
  }

 private:
  std::uint16_t port_;
};

int serve(std::uint16_t port, std::uint16_t upstream_port) {
  boost::asio::io_context context(1);
  RealClock clock;
  OneUser auth(clock);
  RouteSource routes;
  auto route = std::make_shared<InstanceRoute>();
  route->instanceId = InstanceId("i-01");
  route->name = "ws";
  route->owner = "ada";
  route->status = InstanceStatus::running;
  route->ready = true;
  auto table = std::make_shared<RouteTable>();
  (*table)["ws"] = route;
  routes.publish(table);
  Gateway the_gateway(context.get_executor(), {}, routes, auth, clock, std::make_unique<PlainTcp>(upstream_port));
  net::HttpServer server(net::listenTcp(context.get_executor(), {"127.0.0.1", port}), [&](net::Exchange& exchange) {
    // Not a coroutine itself, as in the server.
    return the_gateway.handle(exchange, the_gateway.parseHost(exchange.head().host));
  });
  std::printf("%s=%s\n", makeCookieNames("swarm.localhost:7420", true).session.c_str(),
              auth.issueInstanceCookie(auth.principal(), "i-01").c_str());
  std::fflush(stdout);
  boost::asio::co_spawn(context, server.run(), boost::asio::detached);
  context.run();
  return 0;
}

}  // namespace
}  // namespace swarm

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  return swarm::serve(static_cast<std::uint16_t>(std::atoi(argv[1])), static_cast<std::uint16_t>(std::atoi(argv[2])));
}
