// The edge proxy's queries: which Machine serves a port, and when none does.
#include <algorithm>

#include "unit/emulator/fixture.h"

namespace swarm::test {
namespace {

using emulator::EdgeQuery;
using emulator::EdgeRefusal;
using emulator::EdgeService;
using emulator::EdgeTarget;

json::object withService(bool autostart = false) {
  return {{"services", json::array{json::object{
                           {"protocol", "tcp"},
                           {"internal_port", 7777},
                           {"autostart", autostart},
                           {"ports", json::array{json::object{{"port", 443}, {"handlers", json::array{"tls", "http"}}},
                                                 json::object{{"port", 80}, {"handlers", json::array{"http"}}, {"force_https", true}}}}}}}};
}

class Edge : public EmulatorFixture {
 protected:
  std::expected<EdgeTarget, EdgeRefusal> find(EdgeQuery query) { return loop->run(emulator().findEdgeTarget(std::move(query))); }
  void createReachableApp() {
    createApp();
    ASSERT_EQ(post("/v1/apps/a1/ip_assignments", json::object{{"type", "shared_v4"}}).status, 200);
  }
  std::string idOf(const std::string& machine) { return get(machine).at("/id"); }
};

TEST_F(Edge, aPortLeadsToItsServicesInternalPort) {
  createReachableApp();
  std::string id = idOf(createStarted(withService()));
  auto secure = find({.app = "a1", .externalPort = 443});
  ASSERT_TRUE(secure.has_value());
  EXPECT_EQ(secure->machineId, id);
  EXPECT_EQ(secure->internalPort, 7777);
  const std::vector<EdgeService> services = emulator().edgeServicesOf("a1");
  const auto service = std::ranges::find(services, 443, &EdgeService::externalPort);
  ASSERT_NE(service, services.end());
  EXPECT_EQ(service->handlers, (std::vector<std::string>{"tls", "http"}));
  auto plain = find({.app = "a1", .externalPort = 80});
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->internalPort, 7777);
  auto other = find({.app = "a1", .externalPort = 22});
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().status, 503);
}

TEST_F(Edge, withoutAnAddressAnAppIsNotThere) {
  createApp();
  createStarted(withService());
  auto refused = find({.app = "a1"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, 404);
  EXPECT_EQ(find({.app = "none"}).error().status, 404);
  EXPECT_TRUE(emulator().edgeServices().empty());
}

TEST_F(Edge, aForcedMachineIsTheOnlyOneThatCounts) {
  createReachableApp();
  createStarted(withService());
  std::string second = createStarted(withService());
  EXPECT_EQ(find({.app = "a1", .forceInstance = idOf(second)})->machineId, idOf(second));
  EXPECT_EQ(find({.app = "a1", .preferInstance = idOf(second)})->machineId, idOf(second));
  std::string id = idOf(second);
  post(second + "/stop");
  waitFor(second, "stopped");
  EXPECT_FALSE(find({.app = "a1", .forceInstance = id}).has_value()) << "it is not running, and its service has no autostart";
  EXPECT_NE(find({.app = "a1", .preferInstance = id})->machineId, id);
  EXPECT_FALSE(find({.app = "a1", .forceInstance = "00000000000000"}).has_value());
}

TEST_F(Edge, aStoppedMachineIsStartedWhenItsServiceSaysSo) {
  createReachableApp();
  std::string machine = createStarted(withService(true));
  post(machine + "/stop");
  waitFor(machine, "stopped");
  EXPECT_EQ(find({.app = "a1"})->machineId, idOf(machine));
  EXPECT_EQ(stateOf(machine), "started");
}

TEST_F(Edge, aCordonedMachineGetsNoNewTraffic) {
  createReachableApp();
  std::string machine = createStarted(withService());
  post(machine + "/cordon");
  EXPECT_FALSE(find({.app = "a1"}).has_value());
  post(machine + "/uncordon");
  EXPECT_TRUE(find({.app = "a1"}).has_value());
}

TEST_F(Edge, nothingLeadsToAnUnreachableHost) {
  createReachableApp();
  std::string machine = createStarted(withService());
  post("/emulator/machines/" + idOf(machine) + "/host", json::object{{"status", "unreachable"}});
  EXPECT_EQ(find({.app = "a1"}).error().status, 503);
  EXPECT_EQ(find({.app = "a1", .forceInstance = idOf(machine)}).error().status, 503);
}

TEST_F(Edge, itsListenerIsNotifiedOfServicesThatComeAndGo) {
  createReachableApp();
  int calls = 0;
  emulator().onEdgeServicesChanged([&] { ++calls; });
  std::string machine = createStarted(withService());
  loop->runUntil([&] { return calls > 0 && emulator().edgeServices().size() == 2; });
  send("DELETE", machine + "?force=true");
  waitFor(machine, "destroyed");
  int before = calls;
  loop->runUntil([&] { return calls > before; });
  EXPECT_TRUE(emulator().edgeServices().empty());
  emulator().onEdgeServicesChanged(nullptr);
}

TEST_F(Edge, contributorsAddToTheState) {
  emulator().addToState([](json::object& into) { into["edge"] = "127.0.0.1:1"; });
  EXPECT_EQ(get("/emulator/state").at("/edge"), "127.0.0.1:1");
}

}  // namespace
}  // namespace swarm::test
