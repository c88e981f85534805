// A gateway with a real HTTP server in front and scripted applications behind, all on one loop and on loopback sockets.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "async/deadline.h"
#include "auth/accounts/accounts.h"
#include "auth/browser/cookies.h"
#include "auth/programs/program_sign_ins.h"
#include "gateway/gateway.h"
#include "net/connect.h"
#include "net/http/http.h"
#include "net/http/http_server.h"
#include "support/manual_clock.h"
#include "unit/gateway/memory_second_factors.h"

namespace swarm::gateway::testing {

namespace asio = boost::asio;
using async::awaitable;

/// Accounts with invitations only: `codes` has the user of each.
class MemoryAccounts final : public Accounts {
 public:
  explicit MemoryAccounts(std::function<LoginResult(const std::string&)> sign_in) : sign_in_(std::move(sign_in)) {}
  awaitable<std::vector<UserRecord>> list() override { co_return std::vector<UserRecord>(); }
  awaitable<std::optional<UserRecord>> find(std::string name) override {
    co_return UserRecord{.name = std::move(name), .passwordHash = "", .role = Role::user};
  }
  awaitable<UserRecord> create(std::string, Role, Secret, UserKind) override { co_return UserRecord(); }
  awaitable<UserRecord> createFor(Identity, Role) override { co_return UserRecord(); }
  awaitable<Invitation> invite(std::string) override { co_return Invitation(); }
  std::optional<std::string> invited(std::string_view code) const override;
  awaitable<std::optional<SignInStep>> acceptInvitation(std::string code, Secret password, LoginOrigin origin,
                                                        OfferEnrolment offer) override;
  awaitable<UserRecord> setRole(std::string, Role) override { co_return UserRecord(); }
  awaitable<UserRecord> setDisabled(std::string, bool) override { co_return UserRecord(); }
  awaitable<void> resetPassword(std::string, Secret) override { co_return; }
  awaitable<void> changePassword(Principal, Secret, Secret, LoginOrigin) override { co_return; }
  awaitable<void> endSessions(std::string) override { co_return; }
  void forget(const std::string&) override {}
  awaitable<Recovered> recoverAdmin() override { co_return Recovered(); }

  std::map<std::string, std::string, std::less<>> codes;
  std::map<std::string, std::string, std::less<>> passwords;  ///< that were set, by user

 private:
  std::function<LoginResult(const std::string&)> sign_in_;
};

/// Auth in memory: user "ada" (user), "bob" (user), "vic" (viewer) and "root" (admin), each with the password "pw-" + name.
class MemoryAuth final : public Auth {
 public:
  explicit MemoryAuth(const Clock& clock) : clock_(clock) {}

  awaitable<std::optional<Secret>> initialise() override { co_return std::nullopt; }
  awaitable<LoginResult> login(std::string user, Secret password, LoginOrigin origin, std::string code) override;
  awaitable<LoginResult> beginFollowing(std::string user, ProviderSession, LoginOrigin) override { co_return signIn(user); }
  awaitable<LoginResult> issue(std::string user, std::chrono::seconds ttl) override;
  awaitable<std::optional<LoginResult>> refresh(Principal) override { co_return std::nullopt; }
  std::vector<SessionRecord> listSessions(std::string_view) const override { return {}; }
  awaitable<void> endSession(SessionRecord) override { co_return; }
  awaitable<void> logout(Principal principal) override;
  std::optional<Principal> verifyApiToken(std::string_view token) const override;
  std::string issueInstanceCookie(const Principal& principal, std::string_view instance_id) override;
  std::optional<Principal> verifyInstanceCookie(std::string_view value, std::string_view instance_id) const override;
  std::optional<Principal> verifyAnyInstanceCookie(std::string_view value) const override;
  std::optional<Principal> stillSignedIn(const Principal& principal) const override {
    return verifyApiToken("token-" + principal.sessionId);
  }
  std::string issueSessionCookie(const Principal& principal) override { return "cookie-" + principal.sessionId; }
  std::optional<Principal> verifySessionCookie(std::string_view value) const override;
  std::string issueDevice(const Principal& principal, std::string_view present) override {
    return std::string(present.empty() ? "device-of-" + principal.user : std::string(present));
  }
  std::string markOf(std::string_view audience) const override { return "mark-of-" + std::string(audience); }
  std::string issueCode(const Principal& principal, std::string_view instance_id, std::string_view binding) override;
  std::optional<Principal> takeCode(std::string_view code, std::string_view instance_id, std::string_view binding) override;
  std::string issueLoginLink(const Principal& principal) override;
  std::optional<std::string> userOfLoginLink(std::string_view code) override;
  awaitable<std::optional<LoginResult>> takeLoginLink(std::string code, LoginOrigin origin) override;
  awaitable<void> putUser(std::string, Secret, Role) override { co_return; }
  Sharing& sharing() override { throw Error(ErrorCode::Internal, "The gateway changes no shares."); }
  Groups& groups() override { throw Error(ErrorCode::Internal, "The gateway changes no groups."); }
  std::optional<Role> roleOf(std::string_view) const override { return std::nullopt; }
  std::vector<TokenKeyInfo> tokenKeys() const override { return {}; }
  awaitable<TokenKeyInfo> rotateTokenKey() override { co_return TokenKeyInfo(); }
  awaitable<void> renewTokenKey() override { co_return; }
  AccessTokens& accessTokens() override { std::terminate(); }
  SshKeys& sshKeys() override { std::terminate(); }
  SshCertificates& sshCertificates() override { std::terminate(); }
  RevokedKeys& revokedKeys() override { std::terminate(); }
  ProgramSignIns& programs() override { return programs_; }
  awaitable<std::optional<LoginResult>> beginForProgram(Principal by, LoginOrigin) override { co_return signIn(by.user); }
  MemoryAccounts& accounts() override { return accounts_; }
  MemorySecondFactors& secondFactors() override { return second_factors_; }

  LoginResult signIn(const std::string& user, std::chrono::seconds ttl = std::chrono::hours(1));
  void revoke(const std::string& session);
  /// Replaces what is shared with the user.
  void share(const std::string& user, Grants grants);

  mutable int cookiesVerified = 0;
  bool adminsMayEnter = true;  ///< of sign-ins from now on

 private:
  const Clock& clock_;
  std::map<std::string, Principal, std::less<>> sessions_;
  std::map<std::string, std::shared_ptr<const Grants>> grants_;
  std::map<std::string, std::pair<std::string, Principal>, std::less<>> codes_;
  std::map<std::string, std::string, std::less<>> links_;
  ProgramSignIns programs_{clock_};
  MemoryAccounts accounts_{[this](const std::string& user) { return signIn(user); }};
  MemorySecondFactors second_factors_{*this, [this](const std::string& user) { return signIn(user); }};
  int next_ = 0;
};

/// A response that a client received. `complete`: false if its body was truncated.
struct Response {
  int status = 0;
  std::string head;
  std::string body;
  bool complete = false;
  bool keepAlive = false;
  std::string header(std::string_view name) const;                ///< the first of its name; empty when absent
  std::vector<std::string> headers(std::string_view name) const;  ///< all of its name
  std::string cookie(std::string_view name) const;                ///< the Set-Cookie of this cookie; empty when absent
};

/// One client connection.
class Client {
 public:
  explicit Client(net::StreamPtr stream) : stream_(std::move(stream)) {}
  awaitable<void> send(std::string_view text);
  /// The final response; 1xx are counted in `interim`.
  awaitable<Response> receive(std::string_view method = "GET");
  awaitable<Response> ask(std::string request, std::string_view method = "GET");
  awaitable<std::string> readExactly(std::size_t bytes);
  awaitable<std::string> readThrough(std::string_view end);  ///< up to and with `end`
  awaitable<bool> isClosed();                                ///< waits until the other side closes; false: it sent bytes
  net::Stream& stream() { return *stream_; }
  int interim = 0;

 private:
  net::StreamPtr stream_;
  net::ReadBuffer buffer_;
};

/// Runs `script` for each connection that the gateway opens.
class Application : public UpstreamConnector {
 public:
  using Script = std::function<awaitable<void>(net::Stream&, net::ReadBuffer&, int connection)>;
  explicit Application(async::Executor executor);
  awaitable<net::StreamPtr> connect(std::shared_ptr<const InstanceRoute> route, std::uint16_t port, Deadline deadline) override;
  void stop();

  Script script;
  std::string refuse;  ///< not empty: connections fail with this reason
  int connections = 0;
  int open = 0;
  std::vector<std::string> heads;  ///< as received
  std::vector<std::uint16_t> ports;

  /// A script that responds to every request with `response` and keeps the connection.
  Script responding(std::string response);
  /// Reads one head into `heads`; empty at the end of the connection.
  awaitable<std::string> readHead(net::Stream& stream, net::ReadBuffer& buffer);

 private:
  awaitable<void> acceptAll();
  std::shared_ptr<net::Listener> listener_;
  async::Executor executor_;
};

class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest();
  ~GatewayTest() override;

  /// Runs `test` on the loop, with the server beside it; fails when it takes longer than 30 s.
  void run(std::function<awaitable<void>()> test);
  awaitable<Client> connect();
  /// "GET path" to `host` with a valid cookie of ada's and the given fields.
  std::string get(std::string_view path, std::string_view fields = {}, std::string_view host = "ws");
  std::string request(std::string_view line, std::string_view fields = {}, std::string_view host = "ws");
  std::string hostName(std::string_view label) const;  ///< with port
  /// Cookie names of a server at swarm.localhost:7420, which is the configured address of the gateway under test.
  static const CookieNames& names();
  std::string instanceCookie(const Principal& principal, std::string_view label = "ws");
  void publish(const std::function<void(InstanceRoute&)>& change = {}, const std::string& name = "ws");
  void remove(const std::string& name);
  void rebuildGateway(GatewayOptions options);
  /// Runs the loop until `condition` holds.
  awaitable<bool> eventually(std::function<bool()> condition);

  asio::io_context context_{1};
  ManualClock clock_;
  MemoryAuth auth_{clock_};
  RouteSource routes_;
  std::map<std::string, InstanceRoute> current_;
  Application* application_ = nullptr;  ///< owned by the gateway
  std::unique_ptr<Gateway> gateway_;
  std::vector<std::unique_ptr<Gateway>> retired_;
  std::unique_ptr<net::HttpServer> server_;
  LoginResult ada_;
};

}  // namespace swarm::gateway::testing
