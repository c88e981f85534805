// Listeners, faults and counts.
#include "conformance/provider/fly_world.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/format.h"
#include "emulator/openapi/checker.h"

namespace swarm::testing {

namespace json = boost::json;

namespace {

constexpr const char* kToken = "fm2_conformance";

emulator::EmulatorOptions completed(emulator::EmulatorOptions options) {
  options.tokens = {{Secret(kToken), "personal", "ada@example.com"}};
  options.strictCheck = emulator::openapi::findViolation;
  return options;
}

Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

}  // namespace

struct FlyWorld::Server {
  Server(CoroutineRunner& runner, std::uint16_t port, net::HttpHandler handler)
      : runner_(runner), server(net::listenTcp(runner.context().get_executor(), {"127.0.0.1", port}), std::move(handler)) {
    asio::co_spawn(runner.context(), server.run(), [this](std::exception_ptr) { ended = true; });
  }
  ~Server() {
    server.stop();
    runner_.waitFor([this] { return ended; });
  }
  CoroutineRunner& runner_;
  net::HttpServer server;
  bool ended = false;
};

FlyWorld::FlyWorld(CoroutineRunner& runner, const MakeBackend& make_backend, emulator::EmulatorOptions options)
    : runner_(runner),
      emulator_(runner.context().get_executor(), clock_, completed(std::move(options)),
                make_backend(runner.context().get_executor(), clock_)),
      edge_(emulator::routesOf(emulator_)) {
  runner_.run(emulator_.open());
  serve(0, 0);
  auto connect = [this](Deadline deadline) { return net::connectTcp({"127.0.0.1", api_port_}, deadline); };
  client_ = std::make_unique<net::HttpClient>(connect, net::HttpClientOptions{.host = "127.0.0.1", .name = "the emulator"});
}

FlyWorld::~FlyWorld() {
  client_.reset();
  goAway();
  runner_.run(destroyAll());
  runner_.run(emulator_.close());
}

asio::awaitable<void> FlyWorld::destroyAll() {
  emulator::Backend& backend = emulator_.backend();
  std::vector<std::string> machines = co_await backend.machineIds(soon());
  for (const std::string& id : machines) co_await backend.destroy(id, soon());
  std::vector<std::string> volumes = co_await backend.volumeIds(soon());
  for (const std::string& id : volumes) co_await backend.destroyVolume(id, soon());
}

void FlyWorld::serve(std::uint16_t api_port, std::uint16_t edge_port) {
  api_server_ = std::make_unique<Server>(runner_, api_port, [this](net::Exchange& exchange) { return emulator_.handle(exchange); });
  edge_server_ = std::make_unique<Server>(runner_, edge_port, [this](net::Exchange& exchange) { return edge_.handle(exchange); });
  api_port_ = api_server_->server.port();
  edge_port_ = edge_server_->server.port();
}

void FlyWorld::goAway() {
  api_server_.reset();
  edge_server_.reset();
}

void FlyWorld::comeBack() { serve(api_port_, edge_port_); }

std::string FlyWorld::apiUrl() const { return format("http://127.0.0.1:{}", api_port_); }

FlyIOProviderConfig FlyWorld::providerConfig() const {
  FlyIOProviderConfig config;
  config.apiToken = Secret(std::string("FlyV1 ") + kToken);
  config.regions = {"ams", "fra", "iad"};
  config.apiBaseUrl = apiUrl();
  config.appUrl = format("http://{{app}}.fly.localhost:{}", edge_port_);
  return config;
}

flyio::Tuning FlyWorld::quickTuning() {
  flyio::Tuning tuning;
  tuning.lookFor = std::chrono::milliseconds(300);
  tuning.firstPause = std::chrono::milliseconds(2);
  tuning.longestPause = std::chrono::milliseconds(50);
  tuning.eventInterval = std::chrono::milliseconds(50);
  tuning.idleInterval = std::chrono::milliseconds(50);
  tuning.boundPatience = std::chrono::milliseconds(2'000);
  tuning.ratesTimes = 1'000;
  return tuning;
}

json::value FlyWorld::send(std::string method, std::string target, std::optional<json::value> body) {
  net::HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = {{"Authorization", std::string("Bearer ") + kToken}};
  if (body) {
    request.body = json::serialize(*body);
    request.contentType = "application/json";
  }
  net::HttpResponse response = runner_.run(client_->send(std::move(request), soon()));
  boost::system::error_code error;
  json::value parsed = json::parse(response.body, error);
  if (error) return nullptr;
  return parsed;
}

void FlyWorld::fault(std::string_view description) { emulator_.addFault(json::parse(description).as_object()); }
void FlyWorld::clearFaults() { emulator_.clearFaults(); }

std::int64_t FlyWorld::count(std::string_view what) { return state().at(what).to_number<std::int64_t>(); }

std::vector<std::string> FlyWorld::leftovers() {
  json::value now = state();
  std::vector<std::string> found;
  for (std::string_view what : {"apps", "machines", "volumes", "ips", "leases"}) {
    std::int64_t number = now.at(what).to_number<std::int64_t>();
    if (number != 0) found.push_back(format("{} {}", number, what));
  }
  return found;
}

json::array FlyWorld::machines() {
  json::value answer = send("GET", "/v1/orgs/personal/machines");
  return answer.at("machines").as_array();
}

}  // namespace swarm::testing
