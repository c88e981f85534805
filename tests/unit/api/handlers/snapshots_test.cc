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
  Answer list(const std::string& token) { return server_.send({.target = "/api/instances/web/snapshots"}, token); }

  ApiServer server_;
  std::string id_, taken_;
};

TEST_F(ApiSnapshots, areListedForTheirInstanceOnlyAndSayWhenTheyExpire) {
  Answer answer = list(server_.user);
  ASSERT_EQ(answer.status, 200) << answer.text;
  ASSERT_EQ(answer.json.at("items").as_array().size(), 1U);
  const boost::json::value& one = answer.json.at("items").at(0);
  EXPECT_EQ(one.at("id").as_string(), taken_);
  EXPECT_TRUE(one.at("automatic").as_bool());
  EXPECT_TRUE(one.at("expiresAt").is_string());
  EXPECT_FALSE(answer.json.as_object().contains("missing"));
  EXPECT_TRUE(server_.get("/api/snapshots").json.at("items").as_array().empty());
  EXPECT_EQ(list(server_.stranger).status, 404);
}

TEST_F(ApiSnapshots, areMissingWithAReasonWhileTheProviderIsDown) {
  server_.world.setDown(true);
  Answer answer = list(server_.user);
  EXPECT_EQ(answer.status, 200) << answer.text;
  EXPECT_TRUE(answer.json.at("items").as_array().empty());
  EXPECT_NE(std::string(answer.json.at("missing").as_string()).find("are not available"), std::string::npos);
  server_.world.setDown(false);
}

TEST_F(ApiSnapshots, areRestoredByTheirId) {
  Answer answer = server_.send({"POST", "/api/instances/web/restore?wait=10", R"({"snapshot":")" + taken_ + R"("})"}, server_.user);
  EXPECT_EQ(answer.status, 200) << answer.text;
  Answer none = server_.send({"POST", "/api/instances/web/restore", R"({"snapshot":"vs_none"})"}, server_.user);
  EXPECT_EQ(none.status, 422) << none.text;
}

TEST_F(ApiSnapshots, canNotBeDeleted) {
  Answer answer = server_.send({"DELETE", "/api/snapshots/" + taken_}, server_.user);
  EXPECT_EQ(answer.status, 422) << answer.text;
  EXPECT_NE(answer.text.find("deletes it automatically"), std::string::npos) << answer.text;
  EXPECT_EQ(server_.send({"DELETE", "/api/snapshots/i-none"}, server_.user).status, 404);
}

TEST_F(ApiSnapshots, areNamedByTheirVolumes) {
  Answer taken = server_.send({"POST", "/api/instances/web/snapshots?wait=10", R"({"name":"monday"})"}, server_.user);
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
