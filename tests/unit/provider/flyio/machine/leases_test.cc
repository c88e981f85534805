// Leases of our own after a crash, and those of other clients.
#include "provider/flyio/machine/leases.h"

#include "async/deadline.h"
#include "unit/provider/flyio/scripted_parts.h"

namespace swarm::flyio {
namespace {

constexpr const char* kLease = "GET /v1/apps/a1/machines/m1/lease";
constexpr const char* kStart = "POST /v1/apps/a1/machines/m1/start";
const ScriptedResponse kHeld{409, R"({"status":"error","message":"lease currently held by x, expires at y"})"};

class LeasesTest : public ScriptedParts {
 protected:
  FlyResult<void> start() {
    auto call = [this](std::string lease) { return client_.startMachine(machine(), std::move(lease), soon()); };
    return loop_.run(leases_.perform(machine(), call, soon()));
  }
  Leases leases_{client_, swarm_};
};

TEST_F(LeasesTest, aLeaseThatACrashLeftBehindIsReused) {
  fly_.respond(kStart, {kHeld, {200, "{}"}});
  fly_.respond(kLease, {{200, R"({"data":{"description":"swarm swarm-1","nonce":"n7"}})"}});
  EXPECT_TRUE(start());
  EXPECT_EQ(fly_.count(kStart), 2);
  EXPECT_EQ(fly_.requests().back().lease, "n7");
}

TEST_F(LeasesTest, anotherClientsLeaseIsWaitedFor) {
  fly_.respond(kStart, {kHeld, kHeld, {200, "{}"}});
  fly_.respond(kLease, {{200, R"({"data":{"description":"fly deploy","nonce":"n8"}})"}});
  EXPECT_TRUE(start());
  EXPECT_EQ(fly_.count(kStart), 3);
  EXPECT_EQ(fly_.requests().back().lease, "") << "it is not ours to use";
}

TEST_F(LeasesTest, aRequestThatTheDeadlineCutsDoesNotHideTheRefusalBefore) {
  fly_.respond(kStart, {kHeld, {.cut = true}});
  fly_.respond(kLease, {{200, R"({"data":{"description":"fly deploy","nonce":"n8"}})"}});
  const Deadline deadline = Deadline::after(std::chrono::milliseconds(200));
  int calls = 0;
  auto call = [&](std::string lease) -> awaitable<FlyResult<void>> {
    if (++calls > 1) co_await async::sleepUntil(deadline);
    co_return co_await client_.startMachine(machine(), std::move(lease), soon());
  };
  FlyResult<void> started = loop_.run(leases_.perform(machine(), call, deadline));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().error().code(), ErrorCode::Conflict) << started.error().error().message();
}

TEST_F(LeasesTest, otherFailuresAreReturnedAtOnce) {
  fly_.respond(kStart, {{412, R"({"error":"failed_precondition: machine not running"})"}});
  FlyResult<void> started = start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().fault().status, 412);
  EXPECT_EQ(fly_.count(kStart), 1);
}

TEST_F(LeasesTest, aReleaseThatFailsIsIgnored) {
  fly_.respond("POST /v1/apps/a1/machines/m1/lease", {{201, R"({"data":{"nonce":"n9"}})"}});
  fly_.respond("DELETE /v1/apps/a1/machines/m1/lease", {{401, R"({"error":"unauthorized"})"}});
  std::string nonce = loop_.run(leases_.acquire(machine(), soon()));
  EXPECT_EQ(nonce, "n9");
  loop_.run(leases_.release(machine(), nonce));
  EXPECT_EQ(fly_.requests().back().lease, "n9");
}

}  // namespace
}  // namespace swarm::flyio
