// SSH keys: of whom they are, and who adds and removes them.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "unit/api/fixture.h"
#include "unit/auth/ssh_key_line.h"

namespace swarm::test {
namespace {

class ApiSshKeys : public ::testing::Test {
 protected:
  Response add(const std::string& key, const std::string& as, const std::string& more = {}) {
    return server_.send({"POST", "/api/keys", R"({"key":")" + key + '"' + more + '}'}, as);
  }
  int remove(const std::string& id, const std::string& as) { return server_.send({"DELETE", "/api/keys/" + id}, as).status; }
  std::size_t count(const std::string& as) { return server_.send({.target = "/api/keys"}, as).json.at("items").as_array().size(); }

  ApiServer server_;
};

TEST_F(ApiSshKeys, areListedWithTheirFingerprintsAndRemoved) {
  const std::string key = sshKeyLine("ulla");
  const Response made = add(key + " ulla@laptop", server_.user);
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.at("name"), "ulla@laptop");
  EXPECT_EQ(made.at("owner"), "ulla");
  EXPECT_EQ(made.at("type"), "ssh-ed25519");
  EXPECT_EQ(made.at("publicKey"), key);
  EXPECT_TRUE(made.at("fingerprint").starts_with("SHA256:"));
  EXPECT_EQ(count(server_.user), 1U);
  EXPECT_EQ(count(server_.stranger), 0U);
  EXPECT_EQ(count(server_.auditor), 1U);
  EXPECT_EQ(remove(made.at("id"), server_.stranger), 404);
  EXPECT_EQ(remove(made.at("id"), server_.auditor), 403);
  EXPECT_EQ(remove(made.at("id"), server_.user), 204);
  EXPECT_EQ(remove(made.at("id"), server_.user), 404);
  EXPECT_EQ(add(key, server_.user).at("name"), "ssh-ed25519") << "it has no comment";
  EXPECT_EQ(add(sshKeyLine("other"), server_.user, R"(,"name":"work")").at("name"), "work");
}

TEST_F(ApiSshKeys, areRegisteredOncePerOwner) {
  const std::string key = sshKeyLine("ulla");
  EXPECT_EQ(add(key, server_.user).status, 201);
  EXPECT_EQ(add(key, server_.user).status, 409);
  EXPECT_EQ(add(key, server_.stranger).status, 201) << "whether others have it, a user does not learn";
  EXPECT_EQ(count(server_.user), 1U);
}

TEST_F(ApiSshKeys, areRefusedWithTheReason) {
  const Response wrong = add("ssh-dss AAAA", server_.user);
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(wrong.text.find("/key"), std::string::npos) << wrong.text;
  EXPECT_NE(wrong.text.find("ssh-ed25519"), std::string::npos) << wrong.text;
  const Response long_name = add(sshKeyLine("x"), server_.user, R"(,"name":")" + std::string(65, 'n') + '"');
  EXPECT_EQ(long_name.status, 400) << long_name.text;
  const Response odd = add(sshKeyLine("y") + R"( \u001b[2Jme)", server_.user);
  EXPECT_EQ(odd.status, 201) << odd.text;
  EXPECT_EQ(odd.at("name").find('\x1b'), std::string::npos);
}

TEST_F(ApiSshKeys, areAddedByTheirUserAloneOrForAServiceAccount) {
  server_.post("/api/users", R"({"name":"bot","kind":"service"})");
  EXPECT_EQ(add(sshKeyLine("1"), server_.admin, R"(,"owner":"ulla")").status, 403) << "the admin would act as ulla";
  EXPECT_EQ(add(sshKeyLine("1"), server_.user, R"(,"owner":"bot")").status, 403);
  EXPECT_EQ(add(sshKeyLine("1"), server_.admin, R"(,"owner":"nothing")").status, 400);
  EXPECT_EQ(add(sshKeyLine("1"), server_.admin, R"(,"owner":"bot")").at("owner"), "bot");
}

TEST_F(ApiSshKeys, areNotAddedWithAnAccessToken) {
  const Response token = server_.send({"POST", "/api/tokens", R"({"name":"ci","scopes":["write","inside","admin"]})"}, server_.user);
  EXPECT_EQ(add(sshKeyLine("1"), token.at("token")).status, 403) << "the key would outlive the token";
  EXPECT_EQ(count(token.at("token")), 0U);
}

TEST_F(ApiSshKeys, areBoundedInNumber) {
  for (int i = 0; i < 50; ++i) ASSERT_EQ(add(sshKeyLine(std::to_string(i)), server_.user).status, 201);
  EXPECT_EQ(add(sshKeyLine("one more"), server_.user).status, 409);
  EXPECT_EQ(add(sshKeyLine("one more"), server_.stranger).status, 201);
}

}  // namespace
}  // namespace swarm::test
