// Providers: their state and token, and the validation of configurations.
#include <gtest/gtest.h>

#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

TEST(ApiProviders, areListedShownAndValidated) {
  ApiServer server;
  server.create("one");
  Response list = server.get("/api/providers");
  ASSERT_EQ(list.json.at("items").as_array().size(), 1u);
  EXPECT_EQ(list.json.at("items").at(0).at("type").as_string(), "fake");
  Response shown = server.get("/api/providers/fake");
  EXPECT_EQ(shown.json.at("instances").as_int64(), 1);
  EXPECT_EQ(shown.at("status"), "healthy");
  EXPECT_TRUE(shown.json.at("capabilities").is_object());
  EXPECT_EQ(server.get("/api/providers/docker").status, 404);
  Response checked = server.post("/api/providers/fake/validate");
  EXPECT_EQ(checked.status, 200);
  EXPECT_TRUE(checked.json.at("ok").as_bool());
  EXPECT_EQ(server.post("/api/providers/fake/validate", "{}").status, 501) << "this server can't make providers from a request";
}

TEST(ApiProviders, getATokenThatNoResponseShows) {
  ApiServer server;
  const auto source = [&](const std::string& who) {
    const Response shown = server.send({.target = "/api/providers/fake"}, who);
    const auto* token = shown.json.as_object().if_contains("token");
    return token ? std::string(token->at("source").as_string()) : "hidden";
  };
  const Response set = server.send({"PUT", "/api/providers/fake/token", R"({"token":"s3cret"})"}, server.admin);
  EXPECT_EQ(set.status, 200) << set.text;
  EXPECT_EQ(set.at("source"), "stored");
  EXPECT_EQ(set.text.find("s3cret"), std::string::npos);
  EXPECT_EQ(source(server.admin), "stored");
  EXPECT_EQ(source(server.auditor), "stored");
  EXPECT_EQ(source(server.user), "hidden");
  EXPECT_EQ(server.send({"PUT", "/api/providers/fake/token", R"({"token":"x"})"}, server.operates).status, 403);
  EXPECT_EQ(server.send({"PUT", "/api/providers/fake/token", R"({"token":""})"}, server.admin).status, 400);
  EXPECT_EQ(server.send({"PUT", "/api/providers/fake/token", R"({"token":"refused"})"}, server.admin).status, 422);
  EXPECT_EQ(server.send({"PUT", "/api/providers/docker/token", R"({"token":"x"})"}, server.admin).status, 404);
  EXPECT_EQ(server.send({"DELETE", "/api/providers/fake/token"}, server.admin).at("source"), "none");
}

TEST(ApiProviders, checkAConfigurationThatIsNotTheCurrentOne) {
  boost::json::object seen;
  RealClock clock;
  fake::FakeWorld world{clock};
  ApiOptions options;
  options.makeProvider = [&](ProviderType type, const boost::json::object& section) -> ProviderPtr {
    EXPECT_EQ(type, ProviderType::fake);
    seen = section;
    if (section.contains("wrong")) throw Error(ErrorCode::InvalidArgument, "There is no such key.").withField("/wrong", "is not known");
    return std::make_unique<fake::FakeProvider>(world, clock, fake::FakeOptions{});
  };
  ApiServer server(options);
  Response checked = server.post("/api/providers/fake/validate", R"({"host":"elsewhere"})");
  EXPECT_EQ(checked.status, 200) << checked.text;
  EXPECT_TRUE(checked.json.at("ok").as_bool());
  EXPECT_EQ(seen.at("host"), "elsewhere");
  EXPECT_EQ(server.post("/api/providers/fake/validate", R"({"wrong":1})").status, 400);
  EXPECT_EQ(server.post("/api/providers/fake/validate", "[]").status, 400);
  EXPECT_EQ(server.post("/api/providers/nothing/validate", "{}").status, 404);
  EXPECT_EQ(server.send({"POST", "/api/providers/fake/validate", R"({"host":"inside"})"}, server.user).status, 403)
      << "who may make the server call anywhere is an administrator";
}

}  // namespace
}  // namespace swarm::test
