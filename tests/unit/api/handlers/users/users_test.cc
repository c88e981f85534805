// What users set for themselves.
#include <gtest/gtest.h>

#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

constexpr const char* kIdentity = "/api/users/me/git-identity";

TEST(ApiUsers, setOnlyTheirOwnGitIdentity) {
  ApiServer server;
  EXPECT_EQ(server.send({.target = kIdentity}, server.user).text, R"({"name":"","email":""})");
  Response set = server.send({"PUT", kIdentity, R"({"name":"Ulla Übung","email":"ulla@example.com"})"}, server.user);
  EXPECT_EQ(set.status, 200) << set.text;
  EXPECT_EQ(server.send({.target = kIdentity}, server.user).at("name"), "Ulla Übung");
  EXPECT_EQ(server.send({.target = kIdentity}, server.stranger).at("name"), "");
  EXPECT_EQ(server.send({.target = kIdentity}, "").status, 401);
  EXPECT_EQ(server.send({"PUT", kIdentity, R"({"name":"","email":""})"}, server.user).status, 200);
  EXPECT_EQ(server.send({.target = kIdentity}, server.user).at("name"), "");
}

TEST(ApiUsers, cannotPutAnythingButANameAndAnAddressIntoGitsConfiguration) {
  ApiServer server;
  for (const char* wrong : {R"({})", R"({"name":"A"})", R"({"name":"A","email":""})", R"({"name":"","email":"a@b"})",
                            R"({"name":"A\n[core]","email":"a@b"})", R"({"name":"A <x>","email":"a@b"})", R"({"name":"A","email":"a b@c"})",
                            R"({"name":"A","email":"none"})", R"({"name":"A","email":"a@b\u0000"})", R"({"name":1,"email":"a@b"})"}) {
    EXPECT_EQ(server.send({"PUT", kIdentity, wrong}, server.user).status, 400) << wrong;
  }
  std::string longest(129, 'x');
  EXPECT_EQ(server.send({"PUT", kIdentity, R"({"name":")" + longest + R"(","email":"a@b"})"}, server.user).status, 400);
}

TEST(ApiUsers, findTheirIdentityInTheirNewWorkspaces) {
  ApiServer server;
  server.send({"PUT", kIdentity, R"({"name":"Ulla","email":"ulla@example.com"})"}, server.user);
  std::string hers = server.create("hers", server.user);
  std::string his = server.create("his", server.stranger);
  EXPECT_NE(server.world.container(PlaceId(hers))->spec.agentBoot.find(R"("git":{"name":"Ulla","email":"ulla@example.com"})"),
            std::string::npos);
  EXPECT_EQ(server.world.container(PlaceId(his))->spec.agentBoot.find("Ulla"), std::string::npos);
}

TEST(ApiUsers, bringASetupScriptWhenTheyCreate) {
  ApiServer server;
  Response created =
      server.send({"POST", "/api/instances?wait=10", R"({"provider":"fake","name":"one","setup":"#!/bin/sh\necho hi\n"})"}, server.user);
  ASSERT_EQ(created.status, 201) << created.text;
  std::string id = created.at("id");
  EXPECT_NE(server.world.container(PlaceId(id))->spec.agentBoot.find(R"("setup":"#!/bin/sh\necho hi\n")"), std::string::npos);
  std::string large(16 * 1024 + 1, 'x');
  Response refused = server.send({"POST", "/api/instances", R"({"provider":"fake","setup":")" + large + "\"}"}, server.user);
  EXPECT_EQ(refused.status, 400);
}

}  // namespace
}  // namespace swarm::test
