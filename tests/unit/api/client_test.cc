// The library's calls that wait: they end when their caller wants it, wherever they are.
#include <gtest/gtest.h>

#include <thread>

#include "async/deadline.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

/// What a call that was cancelled throws; anything else is a failure of the test.
ErrorCode codeOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "the call went to its end";
  return ErrorCode::Internal;
}

/// A log that says one line and then nothing.
class SilentLog final : public LogSource {
 public:
  class Line final : public Reader {
   public:
    awaitable<std::string> next(Deadline deadline) override {
      if (!std::exchange(said_, true)) co_return "first\n";
      co_await async::sleepUntil(deadline);
      co_return "";
    }

   private:
    bool said_ = false;
  };
  awaitable<std::unique_ptr<Reader>> openLogs(PlaceId, Options, Deadline) override { co_return std::make_unique<Line>(); }
};

TEST(ApiClient, endsAWaitWhenItsCallerWantsIt) {
  ApiServer server;
  auto gate = server.world.faults.block("createInstance");
  std::string operation = server.post("/api/instances", R"({"provider":"fake","name":"one"})").at("operationId");
  server.withClient([&](SwarmClient& client) {
    std::stop_source source;
    std::jthread other([&] { source.request_stop(); });
    EXPECT_EQ(codeOf([&] { client.waitForOperation(operation, std::chrono::hours(1), {}, source.get_token()); }), ErrorCode::Cancelled);
    // With an observer, in the pause after the first look.
    std::stop_source seen;
    EXPECT_EQ(codeOf([&] {
                client.waitForOperation(operation, std::chrono::hours(1), [&](const Operation&) { seen.request_stop(); }, seen.get_token());
              }),
              ErrorCode::Cancelled);
    EXPECT_EQ(client.getOperation(operation)->status, OperationStatus::running) << "the server goes on, and the client can be used";
  });
  gate->open();
}

TEST(ApiClient, waitsWithoutPolling) {
  ApiServer server;
  auto gate = server.world.faults.block("createInstance");
  std::string operation = server.post("/api/instances", R"({"provider":"fake","name":"one"})").at("operationId");
  server.loop.spawn([](std::shared_ptr<fake::Gate> block) -> awaitable<void> {
    block->open();
    co_return;
  }(gate));
  server.withClient([&](SwarmClient& client) {
    EXPECT_EQ(client.waitForOperation(operation, std::chrono::hours(1)).status, OperationStatus::succeeded);
    EXPECT_EQ(client.waitForOperation(operation, std::chrono::seconds(0)).status, OperationStatus::succeeded);
  });
}

TEST(ApiClient, endsAFollowedLogWhenItsCallerWantsIt) {
  ApiServer server;
  server.inside.logs = std::make_unique<SilentLog>();
  server.create("one");
  server.withClient([](SwarmClient& client) {
    std::stop_source source;
    std::string got;
    EXPECT_EQ(codeOf([&] {
                client.readLogs(
                    "one", {.follow = true},
                    [&](std::string_view piece) {
                      got += piece;
                      source.request_stop();
                      return true;
                    },
                    source.get_token());
              }),
              ErrorCode::Cancelled);
    EXPECT_EQ(got, "first\n");
    EXPECT_TRUE(client.healthy());
  });
}

}  // namespace
}  // namespace swarm::test
