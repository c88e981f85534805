// A docker backend of its own for each test, on the machine's Engine; leaves nothing.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/id.h"
#include "conformance/provider/coroutine_runner.h"
#include "conformance/provider/docker/test_engine.h"
#include "emulator/docker/docker_backend.h"

namespace swarm::emulator {

class DockerBackendTest : public ::testing::Test {
 protected:
  DockerBackendTest() : engine(runner, swarm::testing::testEngineConfig()), image(engine.ensureImage()) { openBackend(); }
  ~DockerBackendTest() override {
    backend.reset();
    removeAll();
  }
  void TearDown() override {
    for (const std::string& machine : runner.run(backend->machineIds(soon()))) runner.run(backend->destroy(machine, soon()));
    for (const std::string& volume : runner.run(backend->volumeIds(soon()))) runner.run(backend->destroyVolume(volume, soon()));
    closeBackend();
    EXPECT_THAT(leftovers(), ::testing::IsEmpty());
  }

  /// Again on the same Engine with the same id: a restarted emulator.
  void openBackend() {
    DockerBackendOptions options;
    options.engine = swarm::testing::testEngineConfig();
    options.emulatorId = id;
    options.guestTool = SWARM_TEST_GUEST_TOOL;
    backend = makeDockerBackend(std::move(options));
    runner.run(backend->open([this](const GuestExit& exit) { exits.push_back(exit); }));
  }
  void closeBackend() { runner.run(backend->close()); }

  static Deadline soon() { return Deadline::after(std::chrono::seconds(40)); }

  MachinePlan plan(std::string machine = "m1") const {
    MachinePlan made;
    made.app = "app";
    made.network = "net";
    made.machineId = std::move(machine);
    made.image = image;
    made.cpus = 1;
    made.memoryMb = 256;
    return made;
  }
  void boot(MachinePlan what) { runner.run(backend->boot(std::move(what), soon())); }
  GuestExecResult exec(std::vector<std::string> command, const std::string& machine = "m1", std::string input = "") {
    GuestExec request;
    request.command = std::move(command);
    request.stdinText = std::move(input);
    return runner.run(backend->exec(machine, std::move(request), soon()));
  }
  /// Until the program that boot() started has done its first steps: the container runs a moment before.
  void waitUntilMainRuns(const std::string& sign, const std::string& machine = "m1") {
    exec({"sh", "-c", "until [ -e " + sign + " ]; do sleep 0.05; done"}, machine);
  }
  std::string shell(std::string script, const std::string& machine = "m1") {
    GuestExecResult result = exec({"sh", "-c", std::move(script)}, machine);
    return result.stdoutText + result.stderrText;
  }
  bool waitForExit(std::size_t count = 1) {
    return runner.waitFor([&] { return exits.size() >= count; });
  }
  boost::json::value inspect(const std::string& machine = "m1") { return engine.get("/containers/fly-" + id + "-" + machine + "/json"); }
  std::string addressOf(const std::string& machine) {
    auto facts = inspect(machine);
    for (const auto& [name, network] : facts.at("NetworkSettings").at("Networks").as_object()) {
      return std::string(network.at("IPAddress").as_string());
    }
    return "";
  }

  std::vector<std::pair<std::string, std::string>> listed() {
    std::string filter = engine::filterQuery({{"label", boost::json::array{boost::json::string("fly-emulator.id=" + id)}}});
    std::vector<std::pair<std::string, std::string>> found;
    auto add = [&](const std::string& kind, const boost::json::value* list, std::string_view name) {
      if (!list || !list->is_array()) return;
      for (const auto& thing : list->as_array()) found.emplace_back("/" + kind + "/", engine::stringAt(thing, name));
    };
    auto containers = engine.get("/containers/json?all=true&" + filter);
    auto volumes = engine.get("/volumes?" + filter);
    auto networks = engine.get("/networks?" + filter);
    add("containers", &containers, "Id");
    add("volumes", engine::member(volumes, "Volumes"), "Name");
    add("networks", &networks, "Name");
    return found;
  }
  std::vector<std::string> leftovers() {
    std::vector<std::string> names;
    for (const auto& [kind, name] : listed()) names.push_back(kind + name);
    return names;
  }
  void removeAll() {
    for (const auto& [kind, name] : listed()) engine.send("DELETE", kind + name + (kind == "/containers/" ? "?force=true" : ""));
  }

  swarm::testing::CoroutineRunner runner;
  swarm::testing::TestEngine engine;
  std::string image;
  std::string id = "test-" + toHex(randomBytes(4));
  BackendPtr backend;
  std::vector<GuestExit> exits;
};

}  // namespace swarm::emulator
