// Composition, in order of dependency.
#include "emulator/program/options.h"

#include <signal.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <fstream>

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "emulator/docker/docker_backend.h"
#include "emulator/edge/edge_proxy.h"
#include "emulator/edge/self_signed.h"
#include "emulator/emulator.h"
#include "emulator/memory/memory_backend.h"
#include "emulator/openapi/checker.h"
#include "net/descriptors.h"

namespace swarm::emulator {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::chrono::seconds kStopTime{70};  // boots and copies in progress are completed
constexpr std::chrono::seconds kRemoveTime{60};

fs::path besideThisProgram(std::string_view name) { return fs::read_symlink("/proc/self/exe").parent_path() / name; }

/// Part of the names of containers and volumes: a data folder must find its own again.
std::string readOrMakeId(const fs::path& data) {
  if (data.empty()) return toHex(randomBytes(4));
  fs::path path = data / "emulator-id";
  std::string id;
  if (std::ifstream file(path); file && std::getline(file, id) && !id.empty()) return id;
  id = toHex(randomBytes(4));
  fs::path fresh = data / "emulator-id.new";
  std::ofstream file(fresh);
  file << id << '\n';
  file.close();
  std::error_code error;
  fs::rename(fresh, path, error);
  if (!file || error) throw Error(ErrorCode::InvalidArgument, format("The folder {} is not writable.", data.string()));
  return id;
}

void makeFolder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw Error(ErrorCode::InvalidArgument, format("--data: cannot create {}: {}.", path.string(), error.message()));
}

class Process {
 public:
  explicit Process(ProgramOptions options) : options_(std::move(options)) {}

  int run() {
    if (!options_.data.empty()) makeFolder(options_.data);
    emulator_ = std::make_unique<Emulator>(context_.get_executor(), clock_, emulatorOptions(), makeBackend());
    std::exception_ptr failure;
    asio::co_spawn(context_, live(), [&](std::exception_ptr error) {
      failure = error;
      context_.stop();
    });
    context_.run();
    if (failure) std::rethrow_exception(failure);
    return 0;
  }

 private:
  BackendPtr makeBackend() {
    if (options_.backend == BackendKind::Memory) return makeMemoryBackend(context_.get_executor(), clock_);
    DockerBackendOptions docker;
    docker.engine.socketPath = options_.dockerSocket;
    docker.emulatorId = readOrMakeId(options_.data);
    docker.guestTool = options_.guestTool.empty() ? besideThisProgram("fly-guest-tool") : options_.guestTool;
    return makeDockerBackend(std::move(docker));
  }

  EmulatorOptions emulatorOptions() const {
    EmulatorOptions made;
    for (const Secret& token : options_.tokens) made.tokens.push_back({.value = token, .organization = options_.organization});
    made.dataDir = options_.data;
    if (options_.strict) made.strictCheck = openapi::findViolation;
    made.regions = options_.regions;
    if (options_.transitions == Transitions::LikeFly) made.times = TransitionTimes::likeFly();
    made.rateLimits = options_.rateLimits ? RateLimits::On : RateLimits::Off;
    return made;
  }

  /// Without a data folder the certificate lives as long as the process.
  fs::path temporaryFolder() const { return fs::temp_directory_path() / format("fly-emulator-{}", ::getpid()); }

  void makeCertificate() {
    fs::path folder = options_.data.empty() ? temporaryFolder() : options_.data;
    makeFolder(folder);
    CertificateFiles files = makeSelfSigned(folder, {"*.fly.localhost", "localhost", "127.0.0.1"});
    tls_ = net::makeTlsServer(files.certificate, files.key);
    certificate_ = files.certificate;
  }

  void listenEdge() {
    std::shared_ptr<net::TlsContext> tls = options_.edgeTls ? tls_ : nullptr;
    EdgeOptions edge;
    edge.region = options_.regions.front();
    proxy_ = std::make_unique<EdgeProxy>(routesOf(*emulator_), std::move(edge));
    net::HttpServerOptions server;
    server.tls = tls;
    edge_ = std::make_unique<net::HttpServer>(
        net::listenTcp(context_.get_executor(), options_.edge), [this](net::Exchange& exchange) { return proxy_->handle(exchange); },
        server);
    listeners_ = std::make_unique<EdgeListeners>(context_.get_executor(), routesOf(*emulator_), options_.edge.host, tls);
    emulator_->onEdgeServicesChanged([this] { refreshListeners(); });
    emulator_->addToState([this](boost::json::object& state) {
      boost::json::object edge_state{{"address", net::toString({options_.edge.host, edge_->port()})}, {"tls", options_.edgeTls}};
      listeners_->addTo(edge_state);
      state["edge"] = std::move(edge_state);
    });
    refreshListeners();
  }

  void refreshListeners() {
    try {
      listeners_->refresh();
    } catch (const Error& error) {
      log::warning("cannot listen for a TCP service of an app", {{"reason", error.message()}});
    }
  }

  awaitable<void> live() {
    asio::signal_set signals(context_, SIGTERM, SIGINT);
    if (options_.apiTls || options_.edgeTls) makeCertificate();
    net::HttpServerOptions server;
    server.tls = options_.apiTls ? tls_ : nullptr;
    api_ = std::make_unique<net::HttpServer>(
        net::listenTcp(context_.get_executor(), options_.listen), [this](net::Exchange& exchange) { return emulator_->handle(exchange); },
        server);
    co_await emulator_->open();
    listenEdge();
    asio::co_spawn(context_, api_->run(), asio::detached);
    asio::co_spawn(context_, edge_->run(), asio::detached);
    // For users, and for scripts that wait for the last line.
    std::printf("Machines API  %s://%s/v1\n", options_.apiTls ? "https" : "http",
                net::toString({options_.listen.host, api_->port()}).c_str());
    std::printf("Edge          %s://<app>.fly.localhost:%u\n", options_.edgeTls ? "https" : "http", edge_->port());
    if (!certificate_.empty()) std::printf("Certificate   %s\n", certificate_.c_str());
    std::puts("ready");
    std::fflush(stdout);
    auto [error, number] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    log::info("stopping", {{"signal", number}});
    listeners_->stop();
    edge_->stop();
    api_->stop();
    co_await async::withDeadline(emulator_->close(), Deadline::after(kStopTime), "The emulator did not stop in time.");
    if (options_.data.empty()) co_await removeEverything(emulator_->backend());
    std::error_code ignored;
    if (options_.data.empty() && tls_) fs::remove_all(temporaryFolder(), ignored);
  }

  /// Without a data folder, no later process could find them again.
  static awaitable<void> removeEverything(Backend& backend) {
    Deadline deadline = Deadline::after(kRemoveTime);
    for (const std::string& machine : co_await backend.machineIds(deadline)) co_await backend.destroy(machine, deadline);
    for (const std::string& volume : co_await backend.volumeIds(deadline)) co_await backend.destroyVolume(volume, deadline);
  }

  ProgramOptions options_;
  RealClock clock_;
  asio::io_context context_{1};
  std::shared_ptr<net::TlsContext> tls_;
  fs::path certificate_;
  std::unique_ptr<Emulator> emulator_;
  std::unique_ptr<EdgeProxy> proxy_;
  std::unique_ptr<EdgeListeners> listeners_;
  std::unique_ptr<net::HttpServer> api_;
  std::unique_ptr<net::HttpServer> edge_;
};

}  // namespace

int runProcess(ProgramOptions options) {
  ::signal(SIGPIPE, SIG_IGN);
  net::raiseDescriptorLimit();
  auto process = std::make_unique<Process>(std::move(options));
  int code = process->run();
  // Closed connections still refer to its parts; they end with the process.
  static_cast<void>(process.release());
  return code;
}

}  // namespace swarm::emulator
