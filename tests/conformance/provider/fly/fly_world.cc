// Listeners, faults and counts.
#include "conformance/provider/fly/fly_world.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/text/format.h"
#include "emulator/openapi/checker.h"
#include "support/net/test_certificates.h"

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

struct FlyWorld::Certificates {
  test::TestAuthority authority;
  std::shared_ptr<net::TlsContext> api = serverFor("127.0.0.1");
  std::shared_ptr<net::TlsContext> edge = serverFor("*.fly.localhost");
  std::shared_ptr<net::TlsContext> serverFor(const std::string& name) {
    test::CertificateFiles files = authority.issue(name);
    return net::makeTlsServer(files.certificate, files.key);
  }
};

struct FlyWorld::Server {
  Server(CoroutineRunner& runner, std::uint16_t port, std::shared_ptr<net::TlsContext> tls, net::HttpHandler handler)
      : runner_(runner),
        server(net::listenTcp(runner.context().get_executor(), {"127.0.0.1", port}), std::move(handler), withTls(std::move(tls))) {
    asio::co_spawn(runner.context(), server.run(), [this](std::exception_ptr) { ended = true; });
  }
  ~Server() {
    server.stop();
    runner_.waitFor([this] { return ended; });
  }
  static net::HttpServerOptions withTls(std::shared_ptr<net::TlsContext> tls) {
    net::HttpServerOptions options;
    options.tls = std::move(tls);
    return options;
  }
  CoroutineRunner& runner_;
  net::HttpServer server;
  bool ended = false;
};

FlyWorld::FlyWorld(CoroutineRunner& runner, const MakeBackend& make_backend, emulator::EmulatorOptions options, Transport transport)
    : runner_(runner),
      certificates_(transport == Transport::Tls ? std::make_unique<Certificates>() : nullptr),
      emulator_(runner.context().get_executor(), clock_, completed(std::move(options)),
                make_backend(runner.context().get_executor(), clock_)),
      edge_(emulator::routesOf(emulator_)) {
  runner_.run(emulator_.open());
  serve(0, 0);
  std::shared_ptr<net::TlsContext> trusted = certificates_ ? net::makeTlsClient({.ca = caFile()}) : nullptr;
  auto connect = [this, trusted](Deadline deadline) {
    net::HostPort api{"127.0.0.1", api_port_};
    return trusted ? net::connectTls(api, trusted, deadline) : net::connectTcp(api, deadline);
  };
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
  std::shared_ptr<net::TlsContext> api = certificates_ ? certificates_->api : nullptr;
  std::shared_ptr<net::TlsContext> edge = certificates_ ? certificates_->edge : nullptr;
  api_server_ = std::make_unique<Server>(runner_, api_port, api, [this](net::Exchange& exchange) {
    ++arrived_;
    return emulator_.handle(exchange);
  });
  edge_server_ = std::make_unique<Server>(runner_, edge_port, edge, [this](net::Exchange& exchange) { return edge_.handle(exchange); });
  api_port_ = api_server_->server.port();
  edge_port_ = edge_server_->server.port();
}

void FlyWorld::goAway() {
  api_server_.reset();
  edge_server_.reset();
}

void FlyWorld::comeBack() { serve(api_port_, edge_port_); }

std::string FlyWorld::apiUrl() const { return format("{}://127.0.0.1:{}", certificates_ ? "https" : "http", api_port_); }
std::filesystem::path FlyWorld::caFile() const { return certificates_ ? certificates_->authority.ca() : std::filesystem::path(); }

FlyIOProviderConfig FlyWorld::providerConfig() const {
  FlyIOProviderConfig config;
  config.apiToken = Secret(std::string("FlyV1 ") + kToken);
  config.regions = {"ams", "fra", "iad"};
  config.apiBaseUrl = apiUrl();
  config.appUrl = format("{}://{{app}}.fly.localhost:{}", certificates_ ? "https" : "http", edge_port_);
  config.caFile = caFile();
  return config;
}

flyio::Tuning FlyWorld::quickTuning() {
  flyio::Tuning tuning;
  tuning.lookFor = std::chrono::milliseconds(300);
  tuning.firstPause = std::chrono::milliseconds(2);
  tuning.longestPause = std::chrono::milliseconds(50);
  tuning.eventInterval = std::chrono::milliseconds(50);
  tuning.idleInterval = std::chrono::milliseconds(50);
  tuning.hostInterval = std::chrono::milliseconds(50);
  tuning.logInterval = std::chrono::milliseconds(20);
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
  json::value response = send("GET", "/v1/orgs/personal/machines");
  return response.at("machines").as_array();
}

}  // namespace swarm::testing
