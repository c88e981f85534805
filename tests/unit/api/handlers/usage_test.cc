// What instances use, over HTTP: who sees it, and which times are refused.
#include <gtest/gtest.h>

#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

class ApiUsage : public ::testing::Test {
 protected:
  /// Waits until each of `count` instances has a sample.
  void sample(std::size_t count) {
    server.clock.advance(std::chrono::minutes(1));
    server.loop.runUntil([&] { return server.loop.run(server.controller->listUsage({})).items.size() == count; });
  }
  boost::json::array names(const std::string& token, const std::string& target = "/api/usage") {
    const Response response = server.send({.target = target}, token);
    EXPECT_EQ(response.status, 200) << response.text;
    boost::json::array names;
    for (const auto& item : response.json.at("items").as_array()) names.push_back(item.at("name"));
    return names;
  }
  static ControllerOptions options() {
    ControllerOptions options;
    options.usageInterval = std::chrono::milliseconds(5);
    return options;
  }
  ApiServer server{{}, {}, options()};
};

TEST_F(ApiUsage, isListedForWhoSeesTheInstance) {
  server.create("mine", server.user);
  server.create("admins");
  sample(2);
  EXPECT_EQ(names(server.admin), (boost::json::array{"mine", "admins"}));
  EXPECT_EQ(names(server.auditor), (boost::json::array{"mine", "admins"}));
  EXPECT_EQ(names(server.user), boost::json::array{"mine"});
  EXPECT_EQ(names(server.stranger), boost::json::array{});
  EXPECT_EQ(server.send({.target = "/api/usage"}, "").status, 401);
  EXPECT_EQ(names(server.admin, "/api/usage?limit=1"), boost::json::array{"mine"});
  const std::string next = server.get("/api/usage?limit=1").at("nextCursor");
  EXPECT_EQ(names(server.admin, "/api/usage?cursor=" + next), boost::json::array{"admins"});
}

TEST_F(ApiUsage, hasAHistoryOnRequest) {
  server.create("one");
  sample(1);
  EXPECT_FALSE(server.get("/api/instances/one/usage").json.as_object().contains("history"));
  const Response response = server.get("/api/instances/one/usage?step=60");
  ASSERT_EQ(response.status, 200) << response.text;
  const auto& history = response.json.at("history").as_object();
  EXPECT_EQ(history.at("step"), 60);
  ASSERT_FALSE(history.at("points").as_array().empty());
  EXPECT_EQ(history.at("points").as_array().back().at("memory"), 16.0);
  const Response wrong = server.get("/api/instances/one/usage?from=yesterday");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.json.at("errors").at(0).at("pointer"), "?from");
  EXPECT_EQ(server.get("/api/instances/one/usage?step=-1").status, 400);
  EXPECT_EQ(server.get("/api/instances/one/usage?from=2020-01-01T00:00:00Z&step=1").status, 400) << "too many points";
}

TEST_F(ApiUsage, isInTheMetricsAsSums) {
  server.create("one");
  server.create("two");
  sample(2);
  const std::string text = server.get("/metrics").text;
  for (const char* line : {"swarm_usage_instances{provider=\"fake\"} 2\n", "swarm_usage_memory_bytes{provider=\"fake\"} 33554432\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  EXPECT_EQ(text.find("one"), std::string::npos) << "no names of workspaces";
}

}  // namespace
}  // namespace swarm::test
