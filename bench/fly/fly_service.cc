// The emulator's API and edge behind listeners.
#include "fly_service.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>

#include "base/text/format.h"
#include "emulator/memory/memory_backend.h"

namespace swarm::bench {
namespace {

namespace asio = boost::asio;

emulator::EmulatorOptions options() {
  emulator::EmulatorOptions made;
  made.tokens = {{Secret("fm2_bench"), "personal", "bench@example.com"}};
  return made;
}

}  // namespace

FlyService::FlyService()
    : emulator_(loop_.executor(), clock_, options(), emulator::makeMemoryBackend(loop_.executor(), clock_)),
      edge_(emulator::routesOf(emulator_)) {
  std::promise<void> ready;
  asio::co_spawn(loop_.context(), serve(ready), [](std::exception_ptr) {});
  ready.get_future().get();
}

FlyService::~FlyService() {
  loop_.stop();
  loop_.join();
}

asio::awaitable<void> FlyService::serve(std::promise<void>& ready) {
  co_await emulator_.open();
  api_server_ = std::make_unique<net::HttpServer>(net::listenTcp(loop_.executor(), {"127.0.0.1", 0}),
                                                  [this](net::Exchange& exchange) { return emulator_.handle(exchange); });
  edge_server_ = std::make_unique<net::HttpServer>(net::listenTcp(loop_.executor(), {"127.0.0.1", 0}),
                                                   [this](net::Exchange& exchange) { return edge_.handle(exchange); });
  asio::co_spawn(loop_.context(), edge_server_->run(), [](std::exception_ptr) {});
  ready.set_value();
  co_await api_server_->run();
}

FlyIOProviderConfig FlyService::providerConfig() const {
  FlyIOProviderConfig config;
  config.apiToken = Secret("fm2_bench");
  config.apiBaseUrl = format("http://127.0.0.1:{}", api_server_->port());
  config.appUrl = format("http://{{app}}.fly.localhost:{}", edge_server_->port());
  config.regions = {"ams", "fra", "iad"};
  config.workspaceImage = "registry.fly.io/bench/workspace:latest";
  return config;
}

void FlyService::setLatency(std::chrono::milliseconds latency) {
  asio::post(loop_.context(), [this, latency] {
    emulator_.clearFaults();
    if (latency.count() > 0) emulator_.addFault({{"count", -1}, {"effect", boost::json::object{{"latency_ms", latency.count()}}}});
  });
}

bool report(const std::string& what, double value, const char* unit, double most) {
  bool ok = value <= most;
  std::printf("%-66s %9.2f %-8s at most %7.0f  %s\n", what.c_str(), value, unit, most, ok ? "ok" : "TOO MUCH");
  std::fflush(stdout);
  return ok;
}

}  // namespace swarm::bench
