// Health and readiness.
#include <gtest/gtest.h>

#include "unit/api/support.h"

namespace swarm::test {
namespace {

TEST(ApiReadiness, endsWhileChangesCannotBeSaved) {
  std::optional<ErrorCode> failure;
  int checks = 0;
  ApiOptions options;
  options.checkStore = [&]() -> awaitable<void> {
    ++checks;
    if (failure) throw Error(*failure, "No space left on the disk of /srv/swarm.");
    co_return;
  };
  ApiServer server(options);
  const auto ready = [&] { return server.send({.target = "/readyz"}, ""); };
  const auto later = [&] { server.clock.advance(std::chrono::seconds(5)); };
  EXPECT_EQ(ready().at("status"), "ready");
  failure = ErrorCode::OutOfResources;
  later();
  const Answer full = ready();
  EXPECT_EQ(full.status, 503);
  EXPECT_TRUE(full.at("detail").starts_with("The server's disk is full")) << full.text;
  EXPECT_EQ(full.text.find("/srv"), std::string::npos) << "anyone may read it: " << full.text;
  EXPECT_EQ(server.send({.target = "/healthz"}, "").status, 200);
  failure = ErrorCode::Unavailable;
  later();
  EXPECT_TRUE(ready().at("detail").starts_with("The server's disk cannot be written"));
  failure.reset();
  const int before = checks;
  EXPECT_EQ(ready().status, 503) << "requests share one check for some seconds";
  EXPECT_EQ(checks, before);
  later();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ready().status, 200);
  EXPECT_EQ(checks, before + 1);
}

}  // namespace
}  // namespace swarm::test
