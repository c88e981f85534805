#include "fixture.h"

#include <sqlite3.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/error.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "model/codec/codec.h"
#include "oidc/jose/strict_json.h"
#include "support/auth/low_cost.h"

namespace swarm::oidc::testing {

ScriptedProvider::ScriptedProvider(test::TestLoop& loop, std::shared_ptr<net::TlsContext> tls)
    : released_(loop.executor(), boost::asio::steady_timer::time_point::max()), scheme_(tls ? "https" : "http") {
  auto listener = net::listenTcp(loop.executor(), {"127.0.0.1", 0});
  port_ = listener->port();
  net::HttpServerOptions options;
  options.tls = std::move(tls);
  server_ = std::make_unique<net::HttpServer>(std::move(listener), [this](net::Exchange& exchange) { return serve(exchange); }, options);
  loop.spawn(server_->run());
}

ScriptedProvider::~ScriptedProvider() { server_->stop(); }

awaitable<void> ScriptedProvider::serve(net::Exchange& exchange) {
  const auto& head = exchange.head();
  Request request{std::string(head.method), std::string(head.target), std::string(head.headers.find("Authorization").value_or("")), {}};
  const std::string path(head.path());
  request.body = co_await net::readAll(exchange.body(), 1024 * 1024);
  requests_.push_back(std::move(request));
  boost::system::error_code ignored;
  if (path == silent) co_await released_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  const auto scripted = replies.find(path);
  Reply reply = scripted == replies.end() ? replyTo(path) : scripted->second;
  co_await exchange.respond(reply.status, std::move(reply.headers), std::move(reply.body));
}

ScriptedProvider::Reply ScriptedProvider::replyTo(const std::string& path) {
  if (path == "/.well-known/openid-configuration") {
    json::object document{{"issuer", issuer()},
                          {"authorization_endpoint", issuer() + "/auth"},
                          {"token_endpoint", issuer() + "/token"},
                          {"jwks_uri", issuer() + "/keys"}};
    for (const auto& [name, value] : endpoints) document[name] = value;
    return {.body = json::serialize(document)};
  }
  if (path == "/keys") return {.body = json::serialize(json::object{{"keys", json::array{key.publicKey()}}})};
  if (path != "/token") return {.status = 404};
  const std::string made = token ? token() : key.sign(claims);
  return {.body = json::serialize(json::object{{"id_token", made}, {"access_token", "secret-access"}, {"token_type", "Bearer"}})};
}

int ScriptedProvider::requestsTo(const std::string& path) const {
  return static_cast<int>(std::ranges::count(requests_, path, &Request::target));
}

const ScriptedProvider::Request& ScriptedProvider::last(const std::string& path) const {
  const auto found = std::find_if(requests_.rbegin(), requests_.rend(), [&](const Request& request) { return request.target == path; });
  if (found == requests_.rend()) throw std::runtime_error("no request to " + path);
  return *found;
}

json::object ada() { return {{"preferred_username", "ada"}, {"email", "ada@example.com"}, {"email_verified", true}}; }

SignInTest::SignInTest() {
  openStore();
  provider_ = std::make_unique<ScriptedProvider>(loop_);
  open();
}

SignInTest::~SignInTest() {
  closeStore();
  provider_.reset();
}

void SignInTest::openStore() {
  store_ = openSqliteStore(folder_ / "data");
  audit_ = std::make_unique<Audit>(store_->audit(), clock_);
  loop_.run(audit_->open());
  auth_ = makeAuth(*store_, clock_, {.audit = audit_.get(), .passwordCost = test::kLowCost});
  loop_.run(auth_->initialise());
}

void SignInTest::closeStore() {
  providers_.reset();
  auth_.reset();
  audit_.reset();
  store_.reset();
}

void SignInTest::open(std::function<void(ProviderConfig&)> change) {
  ProviderConfig config;
  config.name = "corp";
  config.title = "Corp";
  config.issuer = provider_->issuer();
  config.issuerUrl = *net::parseUrl(config.issuer);
  config.clientId = "swarm";
  config.clientSecret = Secret("client:secret");
  config.scopes = {"openid", "email"};
  config.createUsers = true;
  if (change) change(config);
  providers_ = std::make_unique<IdentityProviders>(std::vector{config}, IdentityProviders::Parts{.auth = *auth_,
                                                                                                 .identities = store_->identities(),
                                                                                                 .audit = audit_.get(),
                                                                                                 .clock = clock_,
                                                                                                 .loop = loop_.executor(),
                                                                                                 .origin = "https://swarm.example.com"});
  loop_.run(providers_->load());
}

SignInTest::Departure SignInTest::leave(std::string address) {
  const auto begun = loop_.run(providers_->begin("corp", "/somewhere", LoginOrigin{.address = std::move(address)}));
  Departure departure{.query = {}, .cookie = begun.cookie};
  std::string_view rest = std::string_view(begun.location).substr(begun.location.find('?') + 1);
  while (!rest.empty()) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    departure.query[std::string(pair.substr(0, pair.find('=')))] = net::percentDecode(pair.substr(pair.find('=') + 1)).value_or("");
  }
  return departure;
}

IdentityProviders::Finished SignInTest::comeBack(const Departure& departure, std::string code) {
  return loop_.run(providers_->finish("corp", {.code = std::move(code), .state = departure.query.at("state")}, departure.cookie,
                                      LoginOrigin{.address = "10.0.0.1"}));
}

IdentityProviders::Finished SignInTest::signIn(json::object claims) {
  const Departure departure = leave();
  const std::int64_t now = toNumericDate(clock_.now());
  provider_->claims = {{"iss", provider_->issuer()},          {"aud", "swarm"}, {"sub", "u1"}, {"iat", now}, {"exp", now + 300},
                       {"nonce", departure.query.at("nonce")}};
  for (const auto& [name, value] : claims) provider_->claims[name] = value;
  return comeBack(departure);
}

Error SignInTest::refusalOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::Internal, "nothing was thrown");
}

std::string SignInTest::logoutToken(json::object claims) {
  const std::int64_t now = toNumericDate(clock_.now());
  json::object all{{"iss", provider_->issuer()},
                   {"aud", "swarm"},
                   {"iat", now},
                   {"jti", "j1"},
                   {"events", json::object{{"http://schemas.openid.net/event/backchannel-logout", json::object()}}}};
  for (const auto& [name, value] : claims) all[name] = value;
  return provider_->key.signText(R"({"alg":"EdDSA","kid":"one","typ":"logout+jwt"})", json::serialize(all));
}

std::vector<std::string> SignInTest::recorded(const std::string& action) {
  std::vector<std::string> lines;
  for (const AuditRow& row : loop_.run(audit_->list({.action = action, .withBegun = false}, 0, 100)).rows) {
    const auto record = fromJson<AuditRecord>(json::parse(row.body));
    lines.push_back(format("{} {} {} {}", enumName(record.result), record.object, json::serialize(record.after), record.detail));
  }
  return lines;
}

void SignInTest::refuseRevocations() {
  closeStore();
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open((folder_ / "data" / "swarm.db").c_str(), &handle), SQLITE_OK);
  constexpr const char* kTrigger =
      "CREATE TRIGGER full BEFORE INSERT ON sessions WHEN NEW.revoked AND NEW.id = (SELECT value FROM settings WHERE name = 'full') "
      "BEGIN SELECT RAISE(ABORT, 'full'); END";
  EXPECT_EQ(sqlite3_exec(handle, kTrigger, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
  sqlite3_close(handle);
  openStore();
  open();
}

}  // namespace swarm::oidc::testing
