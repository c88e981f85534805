// From a name in a Host to a container and back: the emulator, its edge and the docker backend together.
#include <boost/json/serialize.hpp>

#include "base/text/format.h"
#include "conformance/fly_emulator/fly_suite.h"
#include "emulator/edge/edge_proxy.h"
#include "integration/fly_emulator/backend_fixture.h"
#include "net/http/http_client.h"

namespace swarm::emulator {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

constexpr const char* kToken = "fm2_edge";

class EdgeToContainer : public ::testing::Test {
 protected:
  EdgeToContainer() {
    swarm::testing::CoroutineRunner runner;
    swarm::testing::TestEngine engine(runner, swarm::testing::testEngineConfig());
    image = engine.ensureImage();
    DockerBackendOptions docker;
    docker.engine = swarm::testing::testEngineConfig();
    docker.emulatorId = "edge-" + toHex(randomBytes(4));
    docker.guestTool = SWARM_TEST_GUEST_TOOL;
    EmulatorOptions options;
    options.tokens = {{.value = Secret(kToken)}};
    options.rateLimits = RateLimits::Off;
    emulator = std::make_unique<Emulator>(loop.executor(), clock, std::move(options), makeDockerBackend(std::move(docker)));
    loop.run(emulator->open(), kPatience);
    proxy = std::make_unique<EdgeProxy>(routesOf(*emulator));
    listeners = std::make_unique<EdgeListeners>(loop.executor(), routesOf(*emulator), "127.0.0.1");
    emulator->onEdgeServicesChanged([this] { listeners->refresh(); });
    api = serve([this](net::Exchange& exchange) { return emulator->handle(exchange); });
    edge = serve([this](net::Exchange& exchange) { return proxy->handle(exchange); });
  }
  ~EdgeToContainer() override {
    call("DELETE", "/v1/apps/web?force=true");
    Backend& backend = emulator->backend();
    loop.run(destroyAll(backend), kPatience);
    listeners->stop();
    edge->stop();
    api->stop();
    loop.run(emulator->close(), kPatience);
  }
  static awaitable<void> destroyAll(Backend& backend) {
    Deadline deadline = Deadline::after(kPatience);
    for (const std::string& id : co_await backend.machineIds(deadline)) co_await backend.destroy(id, deadline);
    for (const std::string& id : co_await backend.volumeIds(deadline)) co_await backend.destroyVolume(id, deadline);
  }

  std::unique_ptr<net::HttpServer> serve(net::HttpHandler handler) {
    auto server = std::make_unique<net::HttpServer>(net::listenTcp(loop.executor(), {"127.0.0.1", 0}), std::move(handler));
    loop.spawn(server->run());
    return server;
  }
  net::HttpResponse send(std::uint16_t port, std::string host, net::HttpRequest request) {
    return loop.run(
        [](std::uint16_t to, std::string name, net::HttpRequest what) -> awaitable<net::HttpResponse> {
          net::HttpClient client([to](Deadline deadline) { return net::connectTcp({"127.0.0.1", to}, deadline); },
                                 {.host = name, .name = name});
          co_return co_await client.send(std::move(what), Deadline::after(kPatience));
        }(port, std::move(host), std::move(request)),
        kPatience);
  }
  json::value call(std::string method, std::string target, std::optional<json::value> body = {}) {
    net::HttpRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = {{"Authorization", std::string("Bearer ") + kToken}};
    if (body) {
      request.body = json::serialize(*body);
      request.contentType = "application/json";
    }
    net::HttpResponse response = send(api->port(), "127.0.0.1", std::move(request));
    boost::system::error_code error;
    return json::parse(response.body, error);
  }
  net::HttpResponse get(std::string path, net::Headers headers = {}) {
    net::HttpRequest request;
    request.target = std::move(path);
    request.headers = std::move(headers);
    return send(edge->port(), "web.fly.localhost", std::move(request));
  }

  /// A Machine that serves its own name as /name, over HTTP on 443 and as raw TCP on 9000.
  enum class Autostart { No, Yes };
  std::string startMachine(std::string name, Autostart autostart = Autostart::No) {
    json::array services{{{"protocol", "tcp"},
                          {"internal_port", 7777},
                          {"ports", {{{"port", 443}, {"handlers", {"tls", "http"}}}, {{"port", 80}, {"handlers", {"http"}}}}}},
                         {{"protocol", "tcp"}, {"internal_port", 7777}, {"ports", {{{"port", 9000}}}}}};
    services[0].as_object()["autostart"] = autostart == Autostart::Yes;
    json::object config{{"image", image},
                        {"services", services},
                        {"guest", {{"cpu_kind", "shared"}, {"cpus", 1}, {"memory_mb", 256}}},
                        {"init", {{"exec", {"sh", "-c", "echo " + name + " > /tmp/name; exec /bin/main"}}}}};
    json::value made = call("POST", "/v1/apps/web/machines", json::object{{"name", name}, {"region", "ams"}, {"config", config}});
    std::string id(made.at("id").as_string());
    call("GET", "/v1/apps/web/machines/" + id + "/wait?state=started");
    return id;
  }
  void startApp() {
    call("POST", "/v1/apps", json::object{{"name", "web"}, {"org_slug", "personal"}, {"network", "web"}});
    call("POST", "/v1/apps/web/ip_assignments", json::object{{"type", "shared_v4"}});
  }
  /// The page, once the Machine's server listens.
  std::string nameOf(net::Headers headers) {
    for (Deadline end = Deadline::after(kPatience); !end.hasPassed();) {
      net::HttpResponse response = get("/name", headers);
      if (response.status == 200) return response.body;
    }
    return "(nothing)";
  }

  static constexpr std::chrono::seconds kPatience{60};
  RealClock clock;
  test::TestLoop loop;
  std::string image;
  std::unique_ptr<Emulator> emulator;
  std::unique_ptr<EdgeProxy> proxy;
  std::unique_ptr<EdgeListeners> listeners;
  std::unique_ptr<net::HttpServer> api;
  std::unique_ptr<net::HttpServer> edge;
};

TEST_F(EdgeToContainer, theForcedMachineAnswersAndNoOther) {
  startApp();
  std::string one = startMachine("one");
  std::string two = startMachine("two");
  EXPECT_EQ(nameOf({{"fly-force-instance-id", one}}), "one\n");
  EXPECT_EQ(nameOf({{"fly-force-instance-id", two}}), "two\n");
  call("POST", "/v1/apps/web/machines/" + two + "/stop");
  call("GET", "/v1/apps/web/machines/" + two + "/wait?state=stopped");
  EXPECT_GE(get("/name", {{"fly-force-instance-id", two}}).status, 500) << "exact or an error";
  EXPECT_EQ(nameOf({}), "one\n") << "any that runs";
}

TEST_F(EdgeToContainer, aRawServiceIsReachedByAPortOfItsOwn) {
  startApp();
  startMachine("one");
  nameOf({});
  json::object state;
  listeners->addTo(state);
  ASSERT_EQ(state.at("tcp").as_array().size(), 1U);
  auto address = net::parseHostPort(std::string(state.at("tcp").at(0).at("address").as_string()));
  net::HttpRequest request;
  request.target = "/name";
  EXPECT_EQ(send(address.port, "any-host", std::move(request)).body, "one\n");
}

TEST_F(EdgeToContainer, aRequestStartsAStoppedMachineWhoseServiceSaysSo) {
  startApp();
  std::string id = startMachine("one", Autostart::Yes);
  nameOf({});
  call("POST", "/v1/apps/web/machines/" + id + "/stop");
  call("GET", "/v1/apps/web/machines/" + id + "/wait?state=stopped");
  EXPECT_EQ(nameOf({}), "one\n");
  EXPECT_EQ(call("GET", "/v1/apps/web/machines/" + id).at("state").as_string(), "started");
}

TEST_F(EdgeToContainer, anAppWithoutAMachineThatRunsIsUnavailable) {
  startApp();
  EXPECT_GE(get("/name").status, 404);
  net::HttpRequest request;
  EXPECT_EQ(send(edge->port(), "none.fly.localhost", std::move(request)).status, 404);
}

}  // namespace
}  // namespace swarm::emulator
