// Starts and deletions that Fly refuses, or that have happened already.
#include "provider/flyio/machine/machine_lifecycle.h"

#include "unit/provider/flyio/scripted_parts.h"

namespace swarm::flyio {
namespace {

constexpr const char* kStartPath = "POST /v1/apps/a1/machines/m1/start";
constexpr const char* kMachinePath = "GET /v1/apps/a1/machines/m1";

class LifecycleTest : public ScriptedParts {
 protected:
  static Machine stopped() {
    Machine machine = ScriptedParts::machine();
    machine.state = MachineState::stopped;
    return machine;
  }
  MachineCache cache_{swarm_.config};
  Organization organization_{client_, swarm_};
  MachineFinder machines_{client_, swarm_, cache_, organization_};
  Leases leases_{client_, swarm_};
  MachineLifecycle lifecycle_{client_, cache_, machines_, leases_};
};

TEST_F(LifecycleTest, aHostWithoutCapacityIsReportedAndNothingIsRetried) {
  fly_.respond(kStartPath, {{409, R"({"error":"aborted: insufficient memory available to fulfill request"})"}});
  MachineLifecycle::Started started = loop_.run(lifecycle_.start(stopped(), soon()));
  EXPECT_TRUE(started.lacksCapacity);
  EXPECT_EQ(started.machine.id, "m1");
  EXPECT_EQ(fly_.count(kStartPath), 1);
}

TEST_F(LifecycleTest, aStartWhoseResponseWasLostIsConfirmedByReading) {
  fly_.respond(kStartPath, {{400, R"({"error":"machine already started"})"}});
  fly_.respond(kMachinePath, {{200, R"({"id":"m1","state":"started","config":{}})"}});
  MachineLifecycle::Started started = loop_.run(lifecycle_.start(stopped(), soon()));
  EXPECT_FALSE(started.lacksCapacity);
  EXPECT_EQ(started.machine.state, MachineState::started);
}

TEST_F(LifecycleTest, aMachineThatIsGoneIsDestroyed) {
  fly_.respond("DELETE /v1/apps/a1/machines/m1", {{404, R"({"error":"machine not found"})"}});
  loop_.run(lifecycle_.destroy(stopped(), soon()));
  EXPECT_TRUE(cache_.wasDestroyed("m1"));
}

TEST_F(LifecycleTest, anUnreachableHostIsAnErrorBeforeAnyRequest) {
  Machine machine = stopped();
  machine.hostStatus = "unreachable";
  EXPECT_THROW(loop_.run(lifecycle_.start(machine, soon())), Error);
  EXPECT_TRUE(fly_.requests().empty());
}

}  // namespace
}  // namespace swarm::flyio
