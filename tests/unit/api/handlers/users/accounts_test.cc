// Users: made, invited, changed, disabled, deleted.
#include <gtest/gtest.h>

#include "auth/accounts/accounts.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

class ApiAccounts : public ::testing::Test {
 protected:
  Response create(const std::string& body) { return server_.post("/api/users", body); }
  Response change(const std::string& method, const std::string& target, const std::string& body = {}) {
    return server_.send({method, target, body});
  }
  /// The code of a new invitation.
  std::string invite(const std::string& name) {
    const Response response = server_.post("/api/users/" + name + "/invite");
    EXPECT_EQ(response.status, 201) << response.text;
    const std::string prefix = "http://swarm.localhost:7420/invite?code=";
    EXPECT_TRUE(response.at("url").starts_with(prefix)) << response.text;
    return response.at("url").substr(prefix.size());
  }
  std::optional<LoginResult> accept(const std::string& code, const std::string& password) {
    auto step = server_.loop.run(server_.auth->accounts().acceptInvitation(code, Secret(password), {"::1"}, OfferEnrolment::No));
    return step ? std::optional(std::get<LoginResult>(std::move(*step))) : std::nullopt;
  }
  Response signIn(const std::string& user, const std::string& password) {
    return server_.send({"POST", "/api/auth/login", R"({"user":")" + user + R"(","password":")" + password + "\"}"}, "");
  }

  ApiServer server_;
};

TEST_F(ApiAccounts, beginWithAnInvitationThatWorksOnce) {
  const Response made = create(R"({"name":"ben"})");
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.header("Location"), "/api/users/ben");
  EXPECT_EQ(made.at("role"), "user");
  EXPECT_FALSE(made.json.at("hasPassword").as_bool());
  EXPECT_EQ(signIn("ben", "").status, 401);
  const std::string first = invite("ben");
  EXPECT_NE(server_.get("/api/users/ben").at("invitedUntil"), "");
  const std::string second = invite("ben");
  EXPECT_FALSE(accept(first, "long enough")) << "replaced";
  EXPECT_THROW(accept(second, "short"), Error);
  EXPECT_EQ(server_.auth->accounts().invited(second), "ben") << "the code stays valid";
  const auto login = accept(second, "long enough");
  ASSERT_TRUE(login);
  EXPECT_EQ(server_.send({.target = "/api/auth/status"}, login->token.reveal()).at("user"), "ben");
  EXPECT_FALSE(accept(second, "other password"));
  EXPECT_EQ(signIn("ben", "long enough").status, 200);
  EXPECT_EQ(server_.get("/api/users/ben").at("invitedUntil"), "");
}

TEST_F(ApiAccounts, haveInvitationsThatExpire) {
  create(R"({"name":"ben"})");
  const std::string code = invite("ben");
  server_.clock.advance(kInvitationLife);
  EXPECT_FALSE(server_.auth->accounts().invited(code));
  EXPECT_FALSE(accept(code, "long enough"));
}

TEST_F(ApiAccounts, haveNamesAndRolesOfTheListedForms) {
  for (const char* wrong : {R"({})", R"({"name":"Ben"})", R"({"name":"me"})", R"({"name":"-ben"})", R"({"name":"ben","role":"viewer"})",
                            R"({"name":"ben","role":"root"})", R"({"name":"ben","password":"short"})", R"({"name":"ben","disabled":true})"})
    EXPECT_EQ(create(wrong).status, 400) << wrong;
  EXPECT_EQ(create(R"({"name":"ulla"})").status, 409);
  EXPECT_EQ(create(R"({"name":"ben","role":"operator","password":"long enough"})").status, 201);
  EXPECT_EQ(signIn("ben", "long enough").at("role"), "operator");
  EXPECT_EQ(change("PATCH", "/api/users/ben", R"({"role":"viewer"})").status, 400);
  EXPECT_EQ(change("PATCH", "/api/users/ben", R"({"role":"auditor"})").at("role"), "auditor");
  EXPECT_EQ(change("PATCH", "/api/users/vera", R"({"role":"user"})").at("role"), "user") << "a viewer of earlier versions";
}

TEST_F(ApiAccounts, areSeenByAdministratorsAuditorsAndThemselves) {
  EXPECT_GT(server_.get("/api/users").json.at("items").as_array().size(), 5U);
  EXPECT_GT(server_.send({.target = "/api/users"}, server_.auditor).json.at("items").as_array().size(), 5U);
  const Response own = server_.send({.target = "/api/users"}, server_.user);
  ASSERT_EQ(own.json.at("items").as_array().size(), 1U);
  EXPECT_EQ(own.json.at("items").at(0).at("name").as_string(), "ulla");
  EXPECT_EQ(server_.send({.target = "/api/users/me"}, server_.user).at("name"), "ulla");
  const Response hidden = server_.send({.target = "/api/users/sten"}, server_.user);
  const Response missing = server_.send({.target = "/api/users/nope"}, server_.user);
  EXPECT_EQ(hidden.status, 404);
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(server_.get("/api/users").text.find("argon2"), std::string::npos);
}

TEST_F(ApiAccounts, changeTheirOwnPasswordWithThePresentOne) {
  const std::string token = signIn("ulla", server_.password).at("token");
  const auto set = [&](const std::string& body) { return server_.send({"POST", "/api/users/me/password", body}, token); };
  EXPECT_EQ(set(R"({"password":"another horse"})").status, 400);
  const Response wrong = set(R"({"password":"another horse","oldPassword":"guess guess"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.json.at("errors").at(0).at("pointer").as_string(), "/oldPassword");
  EXPECT_EQ(set(R"({"password":"another horse","oldPassword":")" + server_.password + "\"}").status, 204);
  EXPECT_EQ(server_.send({.target = "/api/auth/status"}, token).status, 200) << "this session stays";
  EXPECT_EQ(server_.send({.target = "/api/auth/status"}, server_.user).status, 401) << "the others end";
  EXPECT_EQ(signIn("ulla", server_.password).status, 401);
  EXPECT_EQ(signIn("ulla", "another horse").status, 200);
}

TEST_F(ApiAccounts, cannotGuessThePresentPasswordFasterThanASignIn) {
  int refused = 0;
  for (int i = 0; i < 8; ++i)
    refused += server_.send({"POST", "/api/users/me/password", R"({"password":"another horse","oldPassword":"guess guess"})"}, server_.user)
                           .status == 429
                   ? 1
                   : 0;
  EXPECT_GT(refused, 0);
}

TEST_F(ApiAccounts, thatAreDisabledLookLikeUnknownOnesAtTheSignIn) {
  EXPECT_TRUE(change("POST", "/api/users/ulla/disable").json.at("disabled").as_bool());
  EXPECT_EQ(server_.send({.target = "/api/auth/status"}, server_.user).status, 401);
  const Response disabled = signIn("ulla", server_.password);
  const Response unknown = signIn("nope", server_.password);
  EXPECT_EQ(disabled.status, 401);
  EXPECT_EQ(disabled.at("detail"), unknown.at("detail"));
  EXPECT_EQ(server_.post("/api/users/ulla/invite").status, 409);
  EXPECT_THROW(server_.issue("ulla"), Error);
  EXPECT_FALSE(change("POST", "/api/users/ulla/enable").json.at("disabled").as_bool());
  EXPECT_EQ(signIn("ulla", server_.password).status, 200);
}

TEST_F(ApiAccounts, loseTheirInvitationWhenTheyAreDisabled) {
  create(R"({"name":"ben"})");
  const std::string code = invite("ben");
  change("POST", "/api/users/ben/disable");
  EXPECT_FALSE(accept(code, "long enough"));
}

TEST_F(ApiAccounts, includeAnAdministratorWhoCanSignIn) {
  EXPECT_EQ(change("POST", "/api/users/admin/disable").status, 409);
  EXPECT_EQ(change("PATCH", "/api/users/admin", R"({"role":"user"})").status, 409);
  EXPECT_EQ(change("DELETE", "/api/users/admin?handOverTo=ulla").status, 409);
  EXPECT_EQ(server_.get("/api/auth/status").status, 200) << "a refused change ends no session";
  EXPECT_EQ(change("PATCH", "/api/users/sten", R"({"role":"admin"})").status, 200);
  EXPECT_EQ(change("DELETE", "/api/users/admin").status, 409) << "the other one has no password";
  EXPECT_EQ(change("POST", "/api/users/sten/password", R"({"password":"another horse"})").status, 204);
  EXPECT_EQ(change("DELETE", "/api/users/admin").status, 204);
}

TEST_F(ApiAccounts, handOverWhatBelongedToThem) {
  const std::string id = server_.create("ullas", server_.user);
  ASSERT_EQ(server_.send({"POST", "/api/instances/ullas/snapshots?wait=10", R"({"name":"first"})"}, server_.user).status, 200);
  server_.create("gone", server_.user);
  ASSERT_EQ(server_.send({"DELETE", "/api/instances/gone?wait=10"}, server_.user).status, 200);
  EXPECT_EQ(change("DELETE", "/api/users/ulla").status, 409);
  EXPECT_EQ(change("DELETE", "/api/users/ulla?handOverTo=nope").status, 404);
  EXPECT_EQ(change("DELETE", "/api/users/ulla?handOverTo=ulla").status, 400);
  EXPECT_EQ(server_.send({.target = "/api/auth/status"}, server_.user).status, 200) << "nothing has changed";
  ASSERT_EQ(change("DELETE", "/api/users/ulla?handOverTo=sten").status, 204);
  EXPECT_EQ(server_.send({.target = "/api/auth/status"}, server_.user).status, 401);
  const auto count = [&](const char* list) { return server_.send({.target = list}, server_.stranger).json.at("items").as_array().size(); };
  EXPECT_EQ(server_.send({.target = "/api/instances/ullas"}, server_.stranger).at("owner"), "sten");
  EXPECT_EQ(server_.controller->routes().current()->at("ullas")->owner, "sten");
  EXPECT_EQ(count("/api/snapshots"), 1U);
  EXPECT_GE(count("/api/operations"), 3U);
  EXPECT_EQ(count("/api/names"), 1U);
  EXPECT_GE(count("/api/volumes"), 2U) << "that of the deleted workspace, too";
  EXPECT_EQ(server_.send({"POST", "/api/instances/ullas/stop?wait=10"}, server_.stranger).status, 200);
  EXPECT_EQ(create(R"({"name":"ulla"})").status, 409) << "the name is not used again";
  EXPECT_EQ(server_.post("/api/instances", R"({"provider":"fake","owner":"ulla"})").status, 400);
  EXPECT_EQ(server_.get("/api/users/ulla").status, 404);
}

TEST_F(ApiAccounts, listAndEndTheSessionsOfTheirUser) {
  const std::string other = server_.issue("ulla");
  const std::string id = server_.auth->verifyApiToken(other)->sessionId;
  EXPECT_EQ(server_.send({.target = "/api/users/ulla/sessions"}, server_.stranger).status, 404);
  EXPECT_EQ(server_.send({.target = "/api/users/me/sessions"}, server_.user).json.at("items").as_array().size(), 2U);
  EXPECT_EQ(server_.send({"DELETE", "/api/users/ulla/sessions/" + id}, server_.auditor).status, 403);
  EXPECT_EQ(server_.send({"DELETE", "/api/users/me/sessions/" + id}, server_.user).status, 204);
  EXPECT_EQ(server_.send({"DELETE", "/api/users/me/sessions/" + id}, server_.user).status, 404);
  EXPECT_EQ(server_.send({.target = "/api/auth/status"}, other).status, 401);
  EXPECT_EQ(server_.send({"DELETE", "/api/users/me/sessions"}, server_.user).status, 204);
  EXPECT_EQ(server_.send({.target = "/api/auth/status"}, server_.user).status, 401);
}

}  // namespace
}  // namespace swarm::test
