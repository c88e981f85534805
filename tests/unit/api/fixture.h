// A whole API server in the test: real HTTP, controller, auth and store; the fake provider, with agents that the test scripts.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>

#include "api/api.h"
#include "audit/audit.h"
#include "auth/auth.h"
#include "controller/controller.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "provider/fake/fake_provider.h"
#include "store/store.h"
#include "support/coroutine_test.h"
#include "support/temp_dir.h"
#include "swarm/client.h"

namespace swarm::test {

/// The real clock, that a test can move ahead. Thread-safe.
class MovableClock final : public Clock {
 public:
  SystemTime now() const override { return real_.now() + ahead_.load(); }
  SteadyTime steadyNow() const override { return real_.steadyNow() + ahead_.load(); }
  void advance(std::chrono::milliseconds by) { ahead_ = ahead_.load() + by; }

 private:
  RealClock real_;
  std::atomic<std::chrono::milliseconds> ahead_{std::chrono::milliseconds(0)};
};

/// What tests script beside the fake provider: the agent's routes, and logs. Null or empty: the fake provider's own.
struct Inside {
  net::HttpHandler agent;  ///< every request to an instance's agent but GET /health
  std::unique_ptr<LogSource> logs;
};

struct Request {
  std::string method = "GET";
  std::string target = "/";
  std::string body = {};
  net::Headers headers = {};
  std::string contentType = "application/json";
};

struct Response {
  int status = 0;
  net::Headers headers;
  std::string text;
  boost::json::value json;  ///< null when the body is not JSON
  std::string header(std::string_view name) const { return std::string(net::findHeader(headers, name)); }
  /// The string at a top-level member; empty when there is none.
  std::string at(std::string_view name) const;
};

std::vector<std::string> idsOf(const Response& list);  ///< of its items

inline net::Headers bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }

class ApiServer {
 public:
  explicit ApiServer(ApiOptions options = {}, AccessRules rules = {}, ControllerOptions controller_options = {});
  ~ApiServer();

  /// Sends with a token ("" for none).
  Response send(Request request, const std::string& token);
  Response send(Request request) { return send(std::move(request), admin); }
  Response get(const std::string& target) { return send({.target = target}); }
  Response post(const std::string& target, const std::string& body = {}) { return send({"POST", target, body}); }
  /// Creates and waits until it runs; gives its id.
  std::string create(const std::string& name, const std::string& token);
  std::string create(const std::string& name) { return create(name, admin); }
  /// Sends bytes as they are and reads until the server closes (send "Connection: close").
  std::string raw(const std::string& bytes);
  /// The library blocks its caller: it gets a thread, while the server's loop is run here. Throws what `use` throws.
  void withClient(const std::function<void(SwarmClient&)>& use, const std::string& token);
  void withClient(const std::function<void(SwarmClient&)>& use) { withClient(use, admin); }
  std::string issue(const std::string& user, std::chrono::seconds ttl = std::chrono::hours(1));
  std::string url() const;
  net::StreamPtr connect();
  net::HttpClient& client() { return *client_; }

  /// The records of this action, from the newest, without intents.
  std::vector<AuditRecord> recorded(const std::string& action);

  TestLoop loop;
  MovableClock clock;
  fake::FakeWorld world{clock};
  Inside inside;

 private:
  TempDir dir_;
  std::unique_ptr<Store> store_;

 public:
  std::unique_ptr<Audit> audit;  ///< of sign-ins; also of the API, unless the options name another one
  std::unique_ptr<Auth> auth;
  std::unique_ptr<SwarmController> controller;
  Metrics metrics;
  std::string admin;     ///< tokens: "admin", and users of each role
  std::string user;      ///< "ulla", role user
  std::string stranger;  ///< "sten", role user
  std::string viewer;    ///< "vera", role viewer
  std::string auditor;   ///< "auda", role auditor
  std::string operates;  ///< "olaf", role operator
  std::string password;  ///< ulla's

 private:
  std::unique_ptr<net::HttpServer> agent_server_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::HttpClient> client_;
  bool agent_done_ = false;
  bool server_done_ = false;
};

}  // namespace swarm::test
