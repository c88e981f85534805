// Requests that wait for their operation, when the access of the caller ends before.
#include <gtest/gtest.h>

#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

class ApiWaits : public ::testing::Test {
 protected:
  ApiWaits() { server_.create("ullas", server_.user); }

  /// The status of the response when `end` runs while the request waits, and the provider stops the workspace afterwards.
  int statusAfter(const std::string& method, const std::string& target, const std::string& token, const std::function<void()>& end) {
    std::optional<int> status;
    server_.loop.spawn([](ApiServer& api, net::HttpRequest request, std::optional<int>& got) -> awaitable<void> {
      got = (co_await api.client().send(std::move(request), Deadline::after(std::chrono::seconds(30)))).status;
    }(server_, {.method = method, .target = target, .headers = {{"Authorization", "Bearer " + token}}}, status));
    server_.loop.run(gate_->reached());
    server_.get("/healthz");  // which the server handles after the request
    end();
    gate_->open();
    server_.loop.runUntil([&] { return status.has_value(); });
    return *status;
  }
  void signOut(const std::string& token) { server_.loop.run(server_.auth->logout(*server_.auth->verifyApiToken(token))); }

  ApiServer server_;
  std::shared_ptr<fake::Gate> gate_ = server_.world.faults.block("stopInstance");
};

TEST_F(ApiWaits, respondAsUsualOtherwise) {
  EXPECT_EQ(statusAfter("POST", "/api/instances/ullas/stop?wait=30", server_.user, [] {}), 200);
}

TEST_F(ApiWaits, showNothingOnceTheCallerIsSignedOut) {
  EXPECT_EQ(statusAfter("POST", "/api/instances/ullas/stop?wait=30", server_.user, [&] { signOut(server_.user); }), 401);
}

TEST_F(ApiWaits, ofAnOperationShowNothingOnceTheCallerIsSignedOut) {
  const std::string operation = server_.send({"POST", "/api/instances/ullas/stop"}, server_.user).at("operationId");
  EXPECT_EQ(statusAfter("GET", "/api/operations/" + operation + "?wait=30", server_.user, [&] { signOut(server_.user); }), 401);
}

TEST_F(ApiWaits, ofAnOperationShowNothingOnceTheShareHasEnded) {
  ASSERT_EQ(server_.send({"PUT", "/api/instances/ullas/shares/sten", "{}"}, server_.user).status, 200);
  const std::string operation = server_.send({"POST", "/api/instances/ullas/stop"}, server_.user).at("operationId");
  const auto end = [&] { EXPECT_EQ(server_.send({"DELETE", "/api/instances/ullas/shares/sten"}, server_.user).status, 204); };
  EXPECT_EQ(statusAfter("GET", "/api/operations/" + operation + "?wait=30", server_.stranger, end), 404);
}

}  // namespace
}  // namespace swarm::test
