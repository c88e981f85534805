// Sign-in, cookies, and who may call what.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "base/id.h"
#include "protocol/ed25519.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

/// The first that is set; those that are removed come before it.
std::string cookieOf(const Response& response) {
  for (const net::Header& header : response.headers) {
    const std::string pair = header.value.substr(0, header.value.find(';'));
    if (net::equalsIgnoreCase(header.name, "Set-Cookie") && !pair.ends_with('=')) return pair;
  }
  return {};
}

Response signIn(ApiServer& server) {
  return server.send({"POST", "/api/auth/login", R"({"user":"ulla","password":")" + server.password + "\"}"}, "");
}

TEST(ApiSessions, beginWithAPasswordAndEndWithALogout) {
  ApiServer server;
  Response login = signIn(server);
  ASSERT_EQ(login.status, 200) << login.text;
  EXPECT_EQ(login.at("user"), "ulla");
  EXPECT_EQ(login.at("role"), "user");
  EXPECT_GT(parseTime(login.at("expiresAt")), server.clock.now());
  std::string cookie = login.header("Set-Cookie");
  EXPECT_TRUE(cookie.starts_with("__Host-swarm-")) << cookie;
  for (const auto* part : {"; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"})
    EXPECT_NE(cookie.find(part), std::string::npos) << cookie;
  EXPECT_EQ(cookie.find("Domain"), std::string::npos);
  std::string value = cookieOf(login).substr(cookie.find('=') + 1);
  EXPECT_EQ(server.send({.target = "/api/auth/status"}, value).status, 401) << "a cookie is not a Bearer";
  net::Headers token_as_cookie{{"Cookie", cookie.substr(0, cookie.find('=') + 1) + login.at("token")}};
  EXPECT_EQ(server.send({.target = "/api/auth/status", .headers = token_as_cookie}, "").status, 401) << "nor the other way round";
  Response status = server.send({.target = "/api/auth/status"}, login.at("token"));
  EXPECT_EQ(status.at("user"), "ulla");
  EXPECT_TRUE(status.json.at("authenticated").as_bool());
  Response logout = server.send({"POST", "/api/auth/logout"}, login.at("token"));
  EXPECT_EQ(logout.status, 204);
  EXPECT_NE(logout.header("Set-Cookie").find("Max-Age=0"), std::string::npos);
  EXPECT_EQ(server.send({.target = "/api/auth/status"}, login.at("token")).status, 401);
}

TEST(ApiSessions, areNotOpenedByAWrongPassword) {
  ApiServer server;
  Response wrong = server.send({"POST", "/api/auth/login", R"({"user":"ulla","password":"wrong"})"}, "");
  Response unknown = server.send({"POST", "/api/auth/login", R"({"user":"unknown","password":"wrong"})"}, "");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(wrong.at("detail"), unknown.at("detail"));
  EXPECT_EQ(wrong.header("Set-Cookie"), "");
  EXPECT_EQ(server.send({"POST", "/api/auth/login", R"({"user":"ulla"})"}, "").status, 400);
  EXPECT_EQ(server.send({"POST", "/api/auth/login", R"({"user":"ulla","password":"x","more":1})"}, "").status, 400);
}

/// Fixation: a session that others know must not become the user's.
TEST(ApiSessions, areNewAtEachSignInWhateverCookieTheBrowserBrings) {
  ApiServer server;
  ASSERT_EQ(server.post("/api/users", R"({"name":"eve","password":"long enough"})").status, 201);
  const auto signInAs = [&](const std::string& user, const std::string& password, const std::string& cookie) {
    net::Headers headers{{"Origin", "http://swarm.localhost"}, {"Sec-Fetch-Site", "same-origin"}};
    if (!cookie.empty()) headers.push_back({"Cookie", cookie});
    return server.send({"POST", "/api/auth/login", R"({"user":")" + user + R"(","password":")" + password + "\"}", headers}, "");
  };
  const auto whose = [&](const std::string& cookie) {
    return server.send({.target = "/api/auth/status", .headers = {{"Cookie", cookie}, {"Sec-Fetch-Site", "none"}}}, "").at("user");
  };
  const std::string eves = cookieOf(signInAs("eve", "long enough", ""));
  const std::string name = eves.substr(0, eves.find('='));
  const std::string first = cookieOf(signInAs("ulla", server.password, eves));
  EXPECT_NE(first, eves);
  EXPECT_EQ(whose(first), "ulla");
  EXPECT_EQ(whose(eves), "eve") << "the planted one";
  const std::string second = cookieOf(signInAs("ulla", server.password, first));
  EXPECT_NE(second, first) << "also for the same user";
  const auto sessionOf = [&](const std::string& cookie) {
    return server.auth->verifySessionCookie(cookie.substr(cookie.find('=') + 1))->sessionId;
  };
  EXPECT_NE(sessionOf(second), sessionOf(first));
  // An ended session, an invented one, and several.
  server.send(
      {"POST", "/api/auth/logout", {}, {{"Cookie", first}, {"Origin", "http://swarm.localhost"}, {"Sec-Fetch-Site", "same-origin"}}}, "");
  EXPECT_EQ(whose(first), "");
  for (const std::string& planted : {first, name + "=invented", name + "=a.b.c", eves + "; " + name + "=x"}) {
    const Response begun = signInAs("ulla", server.password, planted);
    ASSERT_EQ(begun.status, 200) << begun.text;
    EXPECT_NE(cookieOf(begun), planted);
    EXPECT_EQ(whose(cookieOf(begun)), "ulla");
  }
  EXPECT_EQ(whose(first), "") << "no sign-in revives a session";
}

TEST(ApiSessions, sayHowLongAThrottledSignInHasToWait) {
  ApiServer server;
  Request wrong{"POST", "/api/auth/login", R"({"user":"unknown","password":"wrong"})"};
  Response response = server.send(wrong, "");
  for (int attempt = 1; response.status != 429 && attempt < 20; ++attempt) response = server.send(wrong, "");
  ASSERT_EQ(response.status, 429) << response.text;
  std::string wait = response.header("Retry-After");
  EXPECT_NE(response.at("detail").find("try again in " + wait + " second"), std::string::npos) << response.at("detail") << " / " << wait;
}

TEST(ApiSessions, byCookieActOnlyFromOurOwnPages) {
  ApiServer server;
  net::Headers cookie{{"Cookie", "other=1; " + cookieOf(signIn(server))}};
  auto with = [&](net::Headers more) {
    net::Headers headers = cookie;
    for (auto& header : more) headers.push_back(header);
    return headers;
  };
  EXPECT_EQ(server.send({.target = "/api/instances", .headers = cookie}, "").status, 200);
  Request create{"POST", "/api/instances", R"({"provider":"fake"})", cookie};
  EXPECT_EQ(server.send(create, "").status, 403);
  create.headers = with({{"Origin", "http://evil.localhost"}});
  EXPECT_EQ(server.send(create, "").status, 403);
  create.headers = with({{"Origin", "http://swarm.localhost"}, {"Sec-Fetch-Site", "same-site"}});
  EXPECT_EQ(server.send(create, "").status, 403);
  create.headers = with({{"Origin", "http://swarm.localhost"}, {"Sec-Fetch-Site", "same-origin"}});
  EXPECT_EQ(server.send(create, "").status, 202);
  // Reads: a page of a workspace on the same domain must not hold its visitor's streams.
  const auto read = [&](net::Headers more) {
    return server.send({.target = "/api/instances", .headers = with(std::move(more))}, "").status;
  };
  EXPECT_EQ(read({{"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Mode", "no-cors"}, {"Sec-Fetch-Dest", "empty"}}), 403);
  EXPECT_EQ(read({{"Origin", "http://evil.localhost"}}), 403);
  EXPECT_EQ(read({{"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "iframe"}}), 403);
  EXPECT_EQ(read({{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}}), 200);
  EXPECT_EQ(read({{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Mode", "cors"}, {"Sec-Fetch-Dest", "empty"}}), 200);
}

TEST(ApiSessions, byCookieOpenNoWebSocketFromAnotherOrigin) {
  ApiServer server;
  server.create("ullas", server.user);
  std::string head = "GET /api/instances/ullas/exec HTTP/1.1\r\nHost: swarm.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
                     ("Cookie: " + cookieOf(signIn(server))) +
                     "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: http://ullas.localhost\r\n";
  net::StreamPtr stream = server.connect();
  std::string response = server.loop.run([](net::Stream& wire, std::string text) -> awaitable<std::string> {
    co_await wire.writeAll(text);
    char buffer[4096];
    net::IoResult got = co_await wire.readSome(boost::asio::buffer(buffer));
    co_return std::string(buffer, got.bytes);
  }(*stream, head + "\r\n"));
  EXPECT_TRUE(response.starts_with("HTTP/1.1 403 ")) << response;
}

TEST(ApiSessions, areNotOpenedByAPageOfAnotherOrigin) {
  ApiServer server;
  Request login{"POST", "/api/auth/login", R"({"user":"ulla","password":")" + server.password + "\"}", {{"Origin", "http://evil.test"}}};
  EXPECT_EQ(server.send(login, "").status, 403);
}

TEST(ApiSessions, countTheHeaderBeforeTheCookie) {
  ApiServer server;
  net::Headers cookie{{"Cookie", cookieOf(signIn(server))}};
  EXPECT_EQ(server.send({.target = "/api/auth/status", .headers = cookie}, "garbage").status, 401);
  EXPECT_EQ(server.send({.target = "/api/auth/status", .headers = cookie}, server.admin).at("user"), "admin");
  cookie.push_back({"Authorization", "Basic YTpi"});
  EXPECT_EQ(server.send({.target = "/api/auth/status", .headers = cookie}, "").status, 401);
}

TEST(ApiSessions, byCookieExistAtTheBaseHostOnly) {
  // What is set for an address or for localhost goes to every program on any port of it.
  ApiServer server({.address = {{"swarm.example.com", "example.com"}, *net::parseUrl("https://swarm.example.com")}});
  Response login = signIn(server);
  EXPECT_EQ(login.status, 200);
  EXPECT_EQ(login.header("Set-Cookie"), "");
  ApiServer local;
  net::Headers cookie{{"Cookie", cookieOf(signIn(local))}};
  EXPECT_EQ(local.send({.target = "/api/auth/status", .headers = cookie}, "").status, 200);
  for (const std::string host : {"localhost", "127.0.0.1", "localhost:3000", "evil.localhost"}) {
    std::string response =
        local.raw("GET /api/auth/status HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\nCookie: " + cookie[0].value + "\r\n\r\n");
    EXPECT_TRUE(response.starts_with("HTTP/1.1 401 ")) << host << " " << response;
  }
}

TEST(ApiSessions, makeALinkThatEndsInAWorkspace) {
  ApiServer server;
  Response link = server.send({"POST", "/api/auth/links", R"({"instance":"dev"})"}, server.user);
  ASSERT_EQ(link.status, 201) << link.text;
  const std::string prefix = "http://swarm.localhost:7420/login/link?code=";
  ASSERT_TRUE(link.at("url").starts_with(prefix)) << link.at("url");
  EXPECT_TRUE(link.at("url").ends_with("&next=%2Fauth%2Finstance%3Fhost%3Ddev")) << link.at("url");
  const std::string code = link.at("url").substr(prefix.size(), link.at("url").find('&') - prefix.size());
  EXPECT_EQ(server.auth->userOfLoginLink(code), "ulla");
  EXPECT_EQ(server.send({"POST", "/api/auth/links"}, server.user).status, 201);
  EXPECT_EQ(server.send({"POST", "/api/auth/links", R"({"user":"admin"})"}, server.user).status, 400) << "for oneself only";
}

TEST(ApiSessions, areListedAndEndOneByOne) {
  ApiServer server;
  const std::string other = server.issue("ulla");
  const std::string id = server.auth->verifyApiToken(other)->sessionId;
  auto kinds = [&](const std::string& token) {
    std::map<std::string, std::string> all;
    for (const auto& item : server.send({.target = "/api/auth/sessions"}, token).json.at("items").as_array())
      all[std::string(item.at("id").as_string())] =
          std::string(item.at("user").as_string()) + " " + std::string(item.at("kind").as_string());
    return all;
  };
  EXPECT_EQ(kinds(server.user).at(id), "ulla machine");
  for (const auto& [session, text] : kinds(server.user)) EXPECT_TRUE(text.starts_with("ulla ")) << text;
  EXPECT_GT(kinds(server.admin).size(), kinds(server.user).size());
  EXPECT_EQ(server.send({"DELETE", "/api/auth/sessions/" + id}, server.stranger).status, 404);
  EXPECT_EQ(server.send({"DELETE", "/api/auth/sessions/" + id}, server.user).status, 204);
  EXPECT_EQ(server.send({.target = "/api/auth/status"}, other).status, 401);
  EXPECT_FALSE(kinds(server.user).contains(id));
}

TEST(ApiNames, stayTheirFormerOwnersUntilTheyAreFreed) {
  ApiServer server;
  server.create("proj", server.user);
  ASSERT_EQ(server.send({"DELETE", "/api/instances/proj?volumes=true&wait=10"}, server.user).status, 200);
  const Request again{"POST", "/api/instances?wait=10", R"({"provider":"fake","name":"proj"})"};
  Response refused = server.send(again, server.stranger);
  EXPECT_EQ(refused.status, 409) << refused.text;
  EXPECT_EQ(refused.at("detail").find("ulla"), std::string::npos) << "the former owner is not revealed";
  EXPECT_EQ(server.send(again, server.admin).status, 409) << "an administrator has to free it first, knowingly";
  EXPECT_EQ(server.send({"DELETE", "/api/names/proj"}, server.stranger).status, 404);
  EXPECT_EQ(server.send({.target = "/api/names"}, server.stranger).json.at("items").as_array().size(), 0U);
  EXPECT_EQ(server.send({.target = "/api/names"}, server.user).json.at("items").at(0).at("name").as_string(), "proj");
  EXPECT_EQ(server.send(again, server.user).status, 201) << "the owner takes it again";
  ASSERT_EQ(server.send({"DELETE", "/api/instances/proj?volumes=true&wait=10"}, server.user).status, 200);
  EXPECT_EQ(server.send({"DELETE", "/api/names/proj"}, server.admin).status, 204);
  EXPECT_EQ(server.send(again, server.stranger).status, 201);
}

TEST(ApiSessions, countNoneOfSeveralCookies) {
  ApiServer server;
  const std::string good = cookieOf(signIn(server));
  const std::string planted = good.substr(0, good.find('=')) + "=planted";
  for (const std::string& both : {good + "; " + planted, planted + "; " + good}) {
    Response response = server.send({.target = "/api/auth/status", .headers = {{"Cookie", both}}}, "");
    EXPECT_EQ(response.status, 401) << both;
    EXPECT_NE(response.header("Set-Cookie").find("Max-Age=0"), std::string::npos) << both;
  }
}

TEST(ApiSessions, areRefreshedWithATokenAndNotWithACookie) {
  ApiServer server;
  const Response login = signIn(server);
  const Request refresh{"POST", "/api/auth/refresh"};
  server.clock.advance(std::chrono::hours(24));
  const Response response = server.send(refresh, login.at("token"));
  ASSERT_EQ(response.status, 200) << response.text;
  EXPECT_GT(response.at("expiresAt"), login.at("expiresAt"));
  EXPECT_EQ(response.header("Set-Cookie"), "");
  EXPECT_EQ(server.send({.target = "/api/auth/status"}, response.at("token")).at("expiresAt"), response.at("expiresAt"));
  const Request by_page{"POST", "/api/auth/refresh", {}, {{"Cookie", cookieOf(login)}, {"Sec-Fetch-Site", "same-origin"}}};
  EXPECT_EQ(server.send(by_page, "").status, 403) << "a page must not get a token";
  ASSERT_EQ(server.send({"POST", "/api/auth/logout"}, response.at("token")).status, 204);
  EXPECT_EQ(server.send(refresh, response.at("token")).status, 401);
}

TEST(ApiSigningKeys, arePublishedAndReplacedWithoutAnEffectOnTokens) {
  ApiServer server;
  const auto published = [&] { return server.send({.target = "/.well-known/jwks.json"}, ""); };
  const Response before = published();
  ASSERT_EQ(before.status, 200) << before.text;
  EXPECT_EQ(before.header("Cache-Control"), "public, max-age=300");
  ASSERT_EQ(before.json.at("keys").as_array().size(), 1U);
  const boost::json::object key = before.json.at("keys").as_array().at(0).as_object();
  for (const auto& [name, value] :
       {std::pair{"kty", "OKP"}, std::pair{"crv", "Ed25519"}, std::pair{"alg", "EdDSA"}, std::pair{"use", "sig"}})
    EXPECT_EQ(std::string(key.at(name).as_string()), value);
  // A client's own verification: header, key and signature.
  const auto dot = server.user.find('.'), last = server.user.rfind('.');
  const boost::json::value header = boost::json::parse(*fromBase64Url(server.user.substr(0, dot)));
  EXPECT_EQ(header.at("kid"), key.at("kid"));
  EXPECT_TRUE(ed25519::verify(*fromBase64Url(std::string(key.at("x").as_string())), server.user.substr(0, last),
                              *fromBase64Url(server.user.substr(last + 1))));

  const Response rotated = server.post("/api/auth/keys");
  ASSERT_EQ(rotated.status, 201) << rotated.text;
  EXPECT_EQ(published().json.at("keys").as_array().size(), 2U);
  const Response list = server.get("/api/auth/keys");
  ASSERT_EQ(list.json.at("items").as_array().size(), 2U) << list.text;
  EXPECT_EQ(list.json.at("items").as_array().at(0).at("id"), key.at("kid"));
  EXPECT_EQ(list.json.at("items").as_array().at(1).at("id"), rotated.json.at("id"));
  EXPECT_EQ(server.send({.target = "/api/auth/status"}, server.user).status, 200);
  EXPECT_EQ(server.send({.target = "/api/auth/status"}, server.issue("ulla")).status, 200);
}

}  // namespace
}  // namespace swarm::test
