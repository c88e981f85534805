// What outlives the emulator: an orderly shutdown, and kill -9 at the worst moments.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/error.h"
#include "sqlite/data_dir.h"
#include "sqlite/database.h"
#include "unit/emulator/fixture.h"

namespace swarm::test {
namespace {

class Persistence : public EmulatorFixture {
 protected:
  Persistence() { options.dataDir = folder_.path() / "data"; }
  TempDir folder_;
};

json::object mounting(const std::string& volume) { return {{"mounts", json::array{json::object{{"volume", volume}, {"path", "/data"}}}}}; }

TEST_F(Persistence, everythingIsThereAgainAfterAnEndInOrder) {
  createApp();
  post("/v1/apps/a1/ip_assignments", json::object{{"type", "v6"}});
  post("/v1/apps/a1/secrets", json::object{{"values", {{"KEY", "value"}}}});
  post("/v1/apps/a1/network_policies", json::object{{"name", "p"}, {"selector", {{"all", true}}}, {"rules", json::array()}});
  std::string volume = post("/v1/apps/a1/volumes", json::object{{"name", "data"}, {"region", "ams"}, {"size_gb", 2}}).at("/id");
  post("/v1/apps/a1/volumes/" + volume + "/snapshots");
  json::object config = mounting(volume);
  config["metadata"] = {{"k", "v"}};
  config["x_unknown"] = {{"kept", json::array{1, 2.5, nullptr}}};
  std::string machine = createStarted(config, {{"name", "one"}});
  post(machine + "/lease", json::object{{"ttl", 600}, {"description", "mine"}});
  std::string stopped = createStarted();
  post(stopped + "/stop");
  waitFor(stopped, "stopped");

  const char* kTargets[] = {"/v1/apps/a1", "/v1/apps/a1/ip_assignments", "/v1/apps/a1/secrets?show_secrets=true", "/v1/apps/a1/volumes",
                            "/v1/apps/a1/network_policies"};
  std::vector<std::string> before;
  for (const char* target : kTargets) before.push_back(get(target).text);
  before.push_back(get(machine + "/lease").text);
  before.push_back(get(machine + "/versions").text);
  before.push_back(get(stopped).text);
  before.push_back(get("/v1/apps/a1/volumes/" + volume + "/snapshots").text);
  std::string shown = get(machine).text;
  close();
  open();
  waitFor(machine, "started");
  std::vector<std::string> after;
  for (const char* target : kTargets) after.push_back(get(target).text);
  after.push_back(get(machine + "/lease").text);
  after.push_back(get(machine + "/versions").text);
  after.push_back(get(stopped).text);
  after.push_back(get("/v1/apps/a1/volumes/" + volume + "/snapshots").text);
  EXPECT_EQ(before, after);
  ApiResponse again = get(machine);
  EXPECT_EQ(again.at("/name"), "one");
  EXPECT_EQ(again.at("/config/x_unknown/kept"), "[1,2.5E0,null]");
  EXPECT_EQ(again.at("/instance_id"), json::parse(shown).at("instance_id").as_string());
}

TEST_F(Persistence, whatWasAnsweredSurvivesACrash) {
  createApp();
  std::string machine = createStarted();
  send("PATCH", machine + "/metadata", R"({"metadata":{"a":"1"}})");
  crash();
  EXPECT_EQ(get(machine + "/metadata").at("/a"), "1");
  waitFor(machine, "started");
}

TEST_F(Persistence, aLaunchThatACrashInterruptedGoesOn) {
  createApp();
  addFault(R"({"match":{"action":"machine_create"},"effect":{"transition_ms":{"launch":600000}}})");
  std::string waiting = createMachine();
  addFault(R"({"match":{"action":"machine_create"},"effect":{"transition_ms":{"start":600000}}})");
  std::string starting = createMachine();
  eventually([&] { return stateOf(starting) == "starting"; });
  EXPECT_EQ(stateOf(waiting), "created");
  crash();
  waitFor(waiting, "started");
  waitFor(starting, "started");
}

TEST_F(Persistence, aStopAnUpdateAndADestroyThatACrashInterruptedGoOn) {
  createApp();
  std::string stopping = createStarted(), updating = createStarted(), destroying = createStarted();
  addFault(R"({"match":{"action":"machine_stop"},"effect":{"transition_ms":{"stop":600000}}})");
  EXPECT_EQ(post(stopping + "/stop").status, 200);
  addFault(R"({"match":{"action":"machine_update"},"effect":{"transition_ms":{"update":600000}}})");
  ApiResponse updated = post(updating, json::object{{"config", {{"image", "alpine"}, {"env", {{"A", "1"}}}}}});
  EXPECT_EQ(updated.status, 200) << updated.text;
  addFault(R"({"match":{"action":"machine_delete"},"effect":{"transition_ms":{"destroy":600000}}})");
  EXPECT_EQ(send("DELETE", destroying + "?force=true").status, 200);
  EXPECT_EQ(stateOf(stopping), "stopping");
  EXPECT_EQ(stateOf(updating), "replacing");
  EXPECT_EQ(stateOf(destroying), "destroying");
  crash();
  waitFor(stopping, "stopped");
  waitFor(updating, "started");
  EXPECT_EQ(exec(updating, "echo $A").at("/stdout"), "1\n");
  EXPECT_EQ(get(updating).at("/instance_id"), updated.at("/instance_id"));
  waitFor(destroying, "destroyed");
}

TEST_F(Persistence, anUpdateOfAStoppedMachineThatACrashInterruptedEndsStopped) {
  createApp();
  std::string machine = createStarted();
  post(machine + "/stop");
  waitFor(machine, "stopped");
  addFault(R"({"match":{"action":"machine_update"},"effect":{"transition_ms":{"update":600000}}})");
  EXPECT_EQ(post(machine, json::object{{"config", {{"image", "alpine"}}}}).status, 200);
  crash();
  waitFor(machine, "stopped");
}

TEST_F(Persistence, anAppsDeletionThatACrashInterruptedGoesOnAndLeavesNothing) {
  createApp();
  std::string volume = post("/v1/apps/a1/volumes", json::object{{"name", "data"}, {"region", "ams"}, {"size_gb", 1}}).at("/id");
  post("/v1/apps/a1/volumes/" + volume + "/snapshots");
  addFault(R"({"match":{"action":"machine_create"},"effect":{"transition_ms":{"destroy":600000}}})");
  createStarted(mounting(volume));
  EXPECT_EQ(send("DELETE", "/v1/apps/a1?force=true").status, 202);
  EXPECT_EQ(post("/v1/apps", json::object{{"name", "a1"}, {"org_slug", "personal"}}).status, 422) << "the name is still taken";
  crash();
  eventually([&] { return post("/v1/apps", json::object{{"name", "a1"}, {"org_slug", "personal"}}).status == 201; });
  json::value left = state();
  EXPECT_EQ(left.at("machines").as_int64(), 0);
  EXPECT_EQ(left.at("volumes").as_int64(), 0);
  EXPECT_EQ(left.at("snapshots").as_int64(), 0);
  EXPECT_EQ(left.at("backend").at("volumes").to_number<int>(), 0);
}

TEST_F(Persistence, capacityIsCountedAgainAfterARestart) {
  options.regions = {"ams"};
  options.capacity.hostsPerRegion = 1;
  options.capacity.host = {512, 0};
  createApp();
  std::string first = createStarted(), second = createStarted();
  crash();
  waitFor(first, "started");
  waitFor(second, "started");
  EXPECT_EQ(post("/v1/apps/a1/machines", json::object{{"region", "ams"}, {"config", {{"image", "alpine"}}}}).status, 422);
  send("DELETE", first + "?force=true");
  waitFor(first, "destroyed");
  createStarted();
}

TEST_F(Persistence, aSecondEmulatorOnTheSameFolderIsRefused) {
  open();
  try {
    emulator::Emulator second(loop->executor(), clock, options, emulator::makeMemoryBackend(loop->executor(), clock));
    FAIL() << "two emulators share one folder";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Conflict) << error.message();
  }
}

TEST_F(Persistence, aDamagedDocumentIsNamedInsteadOfSkipped) {
  createApp();
  close();
  {
    sqlite::DataDir folder(options.dataDir);
    sqlite::Database database(folder.databaseFile());
    database.execute("UPDATE fly_document SET body = '{' WHERE id = 'a1'");
  }
  try {
    open();
    FAIL() << "it opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
    EXPECT_NE(error.message().find("a1"), std::string::npos);
  }
  crash();
}

TEST_F(Persistence, withoutAFolderNothingIsKept) {
  options.dataDir.clear();
  createApp();
  close();
  EXPECT_EQ(get("/v1/apps/a1").status, 404);
}

}  // namespace
}  // namespace swarm::test
