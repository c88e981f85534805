// kill -9 of the emulator while it makes a Machine: the next one with the same data folder completes it, once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>

#include "async/deadline.h"
#include "base/text/format.h"
#include "conformance/provider/coroutine_runner.h"
#include "conformance/provider/docker/test_engine.h"
#include "net/http/http_client.h"
#include "support/coroutine_test.h"
#include "support/temp_dir.h"
#include "unit/emulator/program/program.h"

namespace swarm::emulator {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kPatience{60};

class KilledEmulator : public ::testing::Test {
 protected:
  KilledEmulator() : engine(runner, swarm::testing::testEngineConfig()), image(engine.ensureImage()) {}
  ~KilledEmulator() override {
    program.reset();  // a failed test leaves nothing either
    for (const std::string& id : listed("containers", "Id")) engine.send("DELETE", "/containers/" + id + "?force=true");
    for (const std::string& name : listed("volumes", "Name")) engine.send("DELETE", "/volumes/" + name);
    for (const std::string& name : listed("networks", "Name")) engine.send("DELETE", "/networks/" + name);
  }

  void start() {
    program = std::make_unique<Program>(
        std::vector<std::string>{"--token", "secret", "--no-rate-limits", "--data", (folder / "data").string(), "--listen", "127.0.0.1:0",
                                 "--edge", "127.0.0.1:0", "--docker-socket", swarm::testing::testEngineConfig().socketPath.string()});
    port = numberAfter(program->readUntil("ready"), "Machines API  http://127.0.0.1:");
  }
  awaitable<json::value> call(std::string method, std::string target, std::optional<json::value> body) {
    net::HttpClient client([to = port](Deadline deadline) { return net::connectTcp({"127.0.0.1", to}, deadline); },
                           {.host = "127.0.0.1", .name = "the emulator"});
    net::HttpRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = {{"Authorization", "Bearer secret"}};
    if (body) {
      request.body = json::serialize(*body);
      request.contentType = "application/json";
    }
    net::HttpResponse response = co_await client.send(std::move(request), Deadline::after(kPatience));
    boost::system::error_code error;
    co_return json::parse(response.body, error);
  }
  json::value send(std::string method, std::string target, std::optional<json::value> body = {}) {
    return loop.run(call(std::move(method), std::move(target), std::move(body)), kPatience);
  }
  /// Sends the create, and kills the emulator so long after; the response is unknown.
  void createAndKill(json::value machine, milliseconds after) {
    loop.spawn([](KilledEmulator& self, json::value body) -> awaitable<void> {
      try {
        co_await self.call("POST", "/v1/apps/web/machines", std::move(body));
      } catch (const Error&) {
        // Cut off.
      }
    }(*this, std::move(machine)));
    loop.run(async::sleepFor(after));
    program->signal(SIGKILL);
    program->waitForExit();
  }
  std::vector<std::string> listed(const std::string& kind, const std::string& name) {
    std::ifstream file(folder / "data/emulator-id");
    std::string id;
    std::getline(file, id);
    std::string filter = engine::filterQuery({{"label", json::array{json::string("fly-emulator.id=" + id)}}});
    json::value response = engine.get("/" + kind + (kind == "containers" ? "/json?all=true&" : "?") + filter);
    const json::value* list = kind == "volumes" ? engine::member(response, "Volumes") : &response;
    std::vector<std::string> names;
    if (list && list->is_array()) {
      for (const json::value& thing : list->as_array()) names.push_back(engine::stringAt(thing, name));
    }
    return names;
  }

  swarm::testing::CoroutineRunner runner;
  swarm::testing::TestEngine engine;
  std::string image;
  test::TempDir folder;
  test::TestLoop loop;
  std::unique_ptr<Program> program;
  std::uint16_t port = 0;
};

TEST_F(KilledEmulator, completesWhatWasBegunWheneverItWasKilled) {
  start();
  send("POST", "/v1/apps", json::object{{"name", "web"}, {"org_slug", "personal"}, {"network", "web"}});
  json::value volume = send("POST", "/v1/apps/web/volumes", json::object{{"name", "data"}, {"region", "ams"}, {"size_gb", 1}});
  for (int after : {5, 60, 130, 200, 300, 450}) {
    SCOPED_TRACE(after);
    json::object config{{"image", image}, {"mounts", {{{"volume", volume.at("id")}, {"path", "/data"}}}}};
    createAndKill(json::object{{"name", "only"}, {"region", "ams"}, {"config", config}}, milliseconds(after));
    start();
    json::value machines = send("GET", "/v1/apps/web/machines");
    ASSERT_LE(machines.as_array().size(), 1U);
    if (machines.as_array().empty()) continue;  // it died before it took the request
    std::string machine = "/v1/apps/web/machines/" + std::string(machines.at(0).at("id").as_string());
    EXPECT_EQ(engine::stringAt(send("GET", machine + "/wait?state=started&timeout=60"), "state"), "started");
    EXPECT_EQ(listed("containers", "Id").size(), 1U);
    json::value ran = send("POST", machine + "/exec", json::object{{"command", {"sh", "-c", "echo here"}}});
    EXPECT_EQ(engine::stringAt(ran, "stdout"), "here\n");
    send("DELETE", machine + "?force=true");
    send("GET", machine + "/wait?state=destroyed&timeout=60");
    EXPECT_TRUE(listed("containers", "Id").empty());
  }
  send("DELETE", "/v1/apps/web?force=true");
  for (Deadline end = Deadline::after(kPatience); !listed("volumes", "Name").empty() && !end.hasPassed();)
    loop.run(async::sleepFor(milliseconds(20)));
  program->signal(SIGTERM);
  EXPECT_EQ(program->waitForExit(), 0);
  for (const char* kind : {"containers", "volumes", "networks"}) EXPECT_TRUE(listed(kind, "Id").empty()) << kind;
}

}  // namespace
}  // namespace swarm::emulator
