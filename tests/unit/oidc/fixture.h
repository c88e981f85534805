// Sign-ins at the real store, with a scripted identity provider on loopback, which signs what a test sets.
#pragma once

#include <gmock/gmock.h>

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "audit/audit.h"
#include "auth/accounts/accounts.h"
#include "auth/auth.h"
#include "net/http/http_server.h"
#include "oidc/sign_in/identity_providers.h"
#include "store/sqlite/sqlite_store.h"
#include "support/coroutine_test.h"
#include "support/manual_clock.h"
#include "support/temp_dir.h"
#include "test_keys.h"

namespace swarm::oidc::testing {

using boost::asio::awaitable;
namespace json = boost::json;

/// What it responds can be replaced by path ("/keys").
class ScriptedProvider {
 public:
  /// `tls`: null: without TLS.
  explicit ScriptedProvider(test::TestLoop& loop, std::shared_ptr<net::TlsContext> tls = {});
  ~ScriptedProvider();

  struct Request {
    std::string method;
    std::string target;
    std::string authorization;
    std::string body;
  };
  struct Reply {
    int status = 200;
    std::string body{};
    net::Headers headers{};
  };
  std::string issuer() const { return scheme_ + "://127.0.0.1:" + std::to_string(port_); }
  int requestsTo(const std::string& path) const;
  const Request& last(const std::string& path) const;

  TestKey key{"one", "EdDSA"};
  json::object claims;  ///< of the next identity token, beside those that each has
  std::string nonce;    ///< of the sign-in in progress
  std::string silent;   ///< path whose requests wait for release()
  void release() { released_.cancel(); }
  std::map<std::string, Reply> replies;     ///< instead of the usual ones
  std::function<std::string()> token = {};  ///< instead of the usual identity token
  json::object endpoints;                   ///< more members of the description

 private:
  awaitable<void> serve(net::Exchange& exchange);
  Reply replyTo(const std::string& path);

  boost::asio::steady_timer released_;
  std::vector<Request> requests_;
  std::unique_ptr<net::HttpServer> server_;
  std::string scheme_;
  std::uint16_t port_ = 0;
};

/// Claims of the user "ada".
json::object ada();

class SignInTest : public ::testing::Test {
 protected:
  SignInTest();
  ~SignInTest() override;

  void openStore();
  void closeStore();
  /// The configuration of the provider, as a test changes it; a new service of it.
  void open(std::function<void(ProviderConfig&)> change = {});
  struct Departure {
    std::map<std::string, std::string> query;  ///< of the authorization request
    std::string cookie;
  };
  Departure leave(std::string address = "10.0.0.1");
  IdentityProviders::Finished comeBack(const Departure& departure, std::string code = "c0de");
  /// Both, with these claims.
  IdentityProviders::Finished signIn(json::object claims);
  Error refusalOf(const std::function<void()>& work);
  std::string logoutToken(json::object claims);
  std::vector<std::string> recorded(const std::string& action);
  /// Lets the store fail to revoke the session whose id is in the setting "full".
  void refuseRevocations();

  test::TestLoop loop_;
  test::TempDir folder_;
  ManualClock clock_{SystemTime(std::chrono::milliseconds(1'700'000'000'000))};
  std::unique_ptr<Store> store_;
  std::unique_ptr<Audit> audit_;
  std::unique_ptr<Auth> auth_;
  std::unique_ptr<ScriptedProvider> provider_;
  std::unique_ptr<IdentityProviders> providers_;
};

}  // namespace swarm::oidc::testing
