// Snapshots that a provider takes automatically, over HTTP.
#include <gtest/gtest.h>

#include <set>

#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

class ApiSnapshots : public ::testing::Test {
 protected:
  ApiSnapshots() {
    id_ = server_.create("web", server_.user);
    taken_ = server_.world.takeVolumeSnapshot(PlaceId(id_));
  }
  Response list(const std::string& token) { return server_.send({.target = "/api/instances/web/snapshots"}, token); }

  ApiServer server_;
  std::string id_, taken_;
};

TEST_F(ApiSnapshots, areListedForTheirInstanceOnlyAndSayWhenTheyExpire) {
  Response response = list(server_.user);
  ASSERT_EQ(response.status, 200) << response.text;
  ASSERT_EQ(response.json.at("items").as_array().size(), 1U);
  const boost::json::value& one = response.json.at("items").at(0);
  EXPECT_EQ(one.at("id").as_string(), taken_);
  EXPECT_TRUE(one.at("automatic").as_bool());
  EXPECT_TRUE(one.at("expiresAt").is_string());
  EXPECT_FALSE(response.json.as_object().contains("missing"));
  EXPECT_TRUE(server_.get("/api/snapshots").json.at("items").as_array().empty());
  EXPECT_EQ(list(server_.stranger).status, 404);
}

TEST_F(ApiSnapshots, areMissingWithAReasonWhileTheProviderIsDown) {
  server_.world.setDown(true);
  Response response = list(server_.user);
  EXPECT_EQ(response.status, 200) << response.text;
  EXPECT_TRUE(response.json.at("items").as_array().empty());
  EXPECT_NE(std::string(response.json.at("missing").as_string()).find("are not available"), std::string::npos);
  server_.world.setDown(false);
}

TEST_F(ApiSnapshots, areRestoredByTheirId) {
  Response response = server_.send({"POST", "/api/instances/web/restore?wait=10", R"({"snapshot":")" + taken_ + R"("})"}, server_.user);
  EXPECT_EQ(response.status, 200) << response.text;
  Response none = server_.send({"POST", "/api/instances/web/restore", R"({"snapshot":"vs_none"})"}, server_.user);
  EXPECT_EQ(none.status, 422) << none.text;
}

TEST_F(ApiSnapshots, canNotBeDeleted) {
  Response response = server_.send({"DELETE", "/api/snapshots/" + taken_}, server_.user);
  EXPECT_EQ(response.status, 422) << response.text;
  EXPECT_NE(response.text.find("deletes it automatically"), std::string::npos) << response.text;
  EXPECT_EQ(server_.send({"DELETE", "/api/snapshots/i-none"}, server_.user).status, 404);
}

TEST_F(ApiSnapshots, areNamedByTheirVolumes) {
  Response taken = server_.send({"POST", "/api/instances/web/snapshots?wait=10", R"({"name":"monday"})"}, server_.user);
  ASSERT_EQ(taken.status, 200) << taken.text;
  std::multiset<std::string> snapshots;
  for (const auto& volume : server_.send({.target = "/api/volumes"}, server_.user).json.at("items").as_array()) {
    EXPECT_EQ(volume.at("instanceId").as_string(), id_);
    snapshots.emplace(volume.at("snapshot").as_string());
  }
  EXPECT_EQ(snapshots, (std::multiset<std::string>{"", "monday"}));
}

}  // namespace
}  // namespace swarm::test
