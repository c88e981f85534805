// The controller's reconciliation after a restart: from open() until every instance is confirmed and its agent has responded.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <thread>

#include "async/loop.h"
#include "base/diagnostics/log.h"
#include "base/id.h"
#include "base/text/format.h"
#include "controller/controller.h"
#include "fly_service.h"
#include "provider/flyio/flyio_provider.h"
#include "store/sqlite/sqlite_store.h"

namespace swarm::bench {
namespace {

namespace asio = boost::asio;

constexpr double kMaxForReconcile = 2'000;  // ms
constexpr std::size_t kCreatesAtOnce = 100;
constexpr std::chrono::seconds kLongest{600};

template <typename T>
T wait(async::Loop& loop, asio::awaitable<T> work) {
  return asio::co_spawn(loop.executor(), std::move(work), asio::use_future).get();
}

asio::awaitable<double> cpuOfLoop() { co_return threadCpu(); }

/// A server's store and controller; destroyed and made again around the same data, it is a restart.
class Server {
 public:
  Server(const std::filesystem::path& folder, const FlyService& fly) : store_(openSqliteStore(folder)) {
    std::map<ProviderType, ProviderPtr> providers;
    auto provider = std::make_unique<flyio::FlyIOProvider>(fly.providerConfig(), "bench", fly.clock());
    fly_ = &provider->client();
    providers[ProviderType::flyio] = std::move(provider);
    controller_ = std::make_unique<SwarmController>(loop_.executor(), *store_, std::move(providers), fly.clock(), ControllerOptions{});
  }
  ~Server() {
    wait(loop_, controller_->close(std::chrono::seconds(5)));
    controller_.reset();
    store_.reset();
  }
  void open() { wait(loop_, controller_->open()); }
  double cpu() { return wait(loop_, cpuOfLoop()); }
  const flyio::MachinesClient& fly() const { return *fly_; }

  void fill(int count) { wait(loop_, createAll(*controller_, count)); }

  /// Instances that the provider has confirmed since open().
  std::size_t confirmed() {
    std::size_t found = 0;
    InstanceQuery query;
    query.limit = 10'000;
    InstancePage page = wait(loop_, controller_->listInstances(query));
    for (const Instance& instance : page.items) found += !instance.stale && instance.status == InstanceStatus::running ? 1 : 0;
    return found;
  }
  /// Instances whose agent has answered since open().
  std::size_t reachable() {
    std::size_t found = 0;
    auto table = controller_->routes().current();
    for (const auto& [name, route] : *table) found += route->ready ? 1 : 0;
    return found;
  }

 private:
  static asio::awaitable<void> createAll(SwarmController& controller, int count) {
    std::vector<std::string> pending;
    for (int i = 0; i < count; ++i) {
      CreateRequest request;
      request.owner = "ada";
      request.actor = "ada";
      request.provider = ProviderType::flyio;
      request.config.name = format("bench-{}", i);
      request.config.storage = {{10, true, "/home/coder", ""}};
      pending.push_back((co_await controller.createInstance(std::move(request))).operation.id);
      if (pending.size() < kCreatesAtOnce && i + 1 < count) continue;
      for (const std::string& id : pending) {
        Operation ended = co_await controller.waitForOperation(id, Deadline::after(kLongest));
        if (ended.status != OperationStatus::succeeded)
          throw std::runtime_error("a create did not succeed: " + (ended.error ? ended.error->message() : ""));
      }
      pending.clear();
    }
  }
  async::Loop loop_{"control"};
  std::unique_ptr<Store> store_;
  std::unique_ptr<SwarmController> controller_;
  const flyio::MachinesClient* fly_ = nullptr;
};

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("swarm-bench-" + toHex(randomBytes(6)));
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

struct Restart {
  double confirmed = 0;  ///< ms until the last instance was
  double reachable = 0;  ///< ms until the last agent had answered
  double cpu = 0;        ///< ms of the control loop
  std::int64_t requests = 0;
  std::int64_t refused = 0;
};

Restart restart(const std::filesystem::path& folder, const FlyService& fly, std::size_t machines) {
  Server server(folder, fly);
  Restart took;
  double cpu = server.cpu();
  Stopwatch watch;
  server.open();
  int turn = 0;
  while (server.reachable() < machines || took.confirmed == 0) {
    // Seldom: it copies all instances on the loop that is measured.
    if (took.confirmed == 0 && ++turn % 10 == 0 && server.confirmed() == machines) took.confirmed = watch.wall();
    if (watch.wall() > std::chrono::duration<double, std::milli>(kLongest).count())
      throw std::runtime_error("the reconciliation did not end");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  took.reachable = watch.wall();
  took.cpu = server.cpu() - cpu;
  took.requests = server.fly().requests();
  took.refused = server.fly().refusedForRate();
  return took;
}

bool reportRestart(const Restart& took, int machines, std::chrono::milliseconds latency, double most) {
  std::string how = latency.count() == 0 ? "" : format(", {} ms for each answer", latency.count());
  bool ok = report(format("restart, {} instances confirmed{}", machines, how), took.confirmed, "ms", most);
  ok = report(format("  and every agent has answered"), took.reachable, "ms", most) && ok;
  std::printf("  %.0f ms of CPU of the control loop, %lld requests to Fly, %lld answers of 429\n", took.cpu,
              static_cast<long long>(took.requests), static_cast<long long>(took.refused));
  return ok && took.refused == 0;
}

}  // namespace

bool benchReconcile(int machines, std::chrono::milliseconds latency) {
  log::configure(log::Level::Error, log::Style::Text);
  Folder folder;
  FlyService fly;
  {
    Server server(folder.path, fly);
    server.open();
    Stopwatch filling;
    server.fill(machines);
    std::printf("%d instances made by the controller in %.1f s\n", machines, filling.wall() / 1e3);
  }
  bool ok = reportRestart(restart(folder.path, fly, static_cast<std::size_t>(machines)), machines, {}, kMaxForReconcile);
  if (latency.count() == 0) return ok;
  fly.setLatency(latency);
  reportRestart(restart(folder.path, fly, static_cast<std::size_t>(machines)), machines, latency, 1e4);  // reported without a bound
  return ok;
}

}  // namespace swarm::bench
