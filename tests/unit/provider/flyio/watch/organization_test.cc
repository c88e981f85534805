// Pages of the organization's list, and reads that callers share.
#include "provider/flyio/watch/organization.h"

#include "async/deadline.h"
#include "base/text/format.h"
#include "unit/provider/flyio/scripted_parts.h"

namespace swarm::flyio {
namespace {

constexpr const char* kMachineList = "GET /v1/orgs/personal/machines";

class OrganizationTest : public ScriptedParts {
 protected:
  std::string listed(std::string_view id, std::string_view name) {
    return format(R"({{"id":"{}","name":"{}","app_name":"{}","state":"started",)"
                  R"("config":{{"metadata":{{"swarm_id":"swarm-1","swarm_instance":"i-1"}}}}}})",
                  id, name, swarm_.appOf(PlaceId("i-1")));
  }
  Organization organization_{client_, swarm_};
};

TEST_F(OrganizationTest, concurrentCallersShareOneRead) {
  fly_.respond(kMachineList, {{200, R"({"machines":[]})"}});
  auto read = [this]() -> awaitable<void> { co_await organization_.readAllMachines(soon()); };
  loop_.run(async::both(read(), read()));
  EXPECT_EQ(fly_.count(kMachineList), 1);
  loop_.run(read());
  EXPECT_EQ(fly_.count(kMachineList), 2) << "a later caller starts a new read";
}

TEST_F(OrganizationTest, theNewestMachineOfAnInstanceCounts) {
  std::string page = format(R"({{"machines":[{},{}]}})", listed("m2", "i-1-g1"), listed("m1", "i-1"));
  fly_.respond(kMachineList, {{200, page}});
  OrganizationMachines all = loop_.run(organization_.readMachines({}, soon()));
  ASSERT_EQ(all.machines.size(), 1u);
  EXPECT_EQ(all.machines.front().id, "m2");
  EXPECT_TRUE(all.complete);
}

TEST_F(OrganizationTest, aMissingLaterPageMakesTheListIncomplete) {
  std::string page = format(R"({{"machines":[{}],"next_cursor":"c"}})", listed("m1", "i-1"));
  fly_.respond(kMachineList, {{200, page}, {400, R"({"error":"bad cursor"})"}});
  OrganizationMachines all = loop_.run(organization_.readMachines({}, soon()));
  EXPECT_EQ(all.machines.size(), 1u);
  EXPECT_FALSE(all.complete);
}

TEST_F(OrganizationTest, aMissingFirstPageIsAnError) {
  fly_.respond(kMachineList, {{400, R"({"error":"no"})"}});
  EXPECT_THROW(loop_.run(organization_.readMachines({}, soon())), Error);
}

}  // namespace
}  // namespace swarm::flyio
