// Times of the Fly provider against the emulator in a thread of its own, so that the CPU of the two is told apart.
#include <time.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <string_view>
#include <thread>

#include "base/format.h"
#include "base/id.h"
#include "emulator/emulator.h"
#include "emulator/memory/memory_backend.h"
#include "net/http_server.h"
#include "provider/flyio/flyio_provider.h"

namespace {

namespace asio = boost::asio;
using namespace swarm;

constexpr double kMostCpuPerCreate = 5;  // ms
constexpr double kMostForLook = 2'000;   // ms
constexpr int kAtOnce = 100;             // creates in progress while the Machines to look at are made

double threadCpu() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

/// Milliseconds of wall time and of this thread's CPU since it was made.
struct Stopwatch {
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  double cpuBegin = threadCpu();
  double wall() const { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count(); }
  double cpu() const { return threadCpu() - cpuBegin; }
};

/// The emulator on a loop of its own: no delays, Fly's rate limits.
class Fly {
 public:
  Fly() : emulator_(loop_.executor(), clock_, options(), emulator::makeMemoryBackend(loop_.executor(), clock_)) {
    std::promise<std::uint16_t> port;
    asio::co_spawn(loop_.context(), serve(port), [](std::exception_ptr) {});
    port_ = port.get_future().get();
  }
  ~Fly() {
    loop_.stop();
    loop_.join();
  }
  std::string url() const { return format("http://127.0.0.1:{}", port_); }
  const Clock& clock() const { return clock_; }

 private:
  static emulator::EmulatorOptions options() {
    emulator::EmulatorOptions made;
    made.tokens = {{Secret("fm2_bench"), "personal", "bench@example.com"}};
    return made;
  }
  asio::awaitable<void> serve(std::promise<std::uint16_t>& port) {
    co_await emulator_.open();
    auto listener = net::listenTcp(loop_.executor(), {"127.0.0.1", 0});
    server_ =
        std::make_unique<net::HttpServer>(std::move(listener), [this](net::Exchange& exchange) { return emulator_.handle(exchange); });
    port.set_value(server_->port());
    co_await server_->run();
  }
  RealClock clock_;
  net::Loop loop_{"fly"};
  emulator::Emulator emulator_;
  std::unique_ptr<net::HttpServer> server_;
  std::uint16_t port_ = 0;
};

InstanceSpec makeSpec(int number) {
  InstanceSpec spec{newId("i"), format("bench{}", number), "ada", {}, Secret(R"({"instanceId":"x","secret":"00"})")};
  spec.config.name = spec.name;
  spec.config.image = "workspace";
  spec.config.storage = {{10, true, "/home/coder", ""}};
  return spec;
}

class Bench {
 public:
  Bench() { restart(); }
  void restart() {
    FlyIOProviderConfig config;
    config.apiToken = Secret("fm2_bench");
    config.apiBaseUrl = fly_.url();
    config.regions = {"ams", "fra", "iad"};
    provider_ = std::make_unique<flyio::FlyIOProvider>(std::move(config), "bench", fly_.clock());
  }
  void run(asio::awaitable<void> work) {
    std::vector<asio::awaitable<void>> one;
    one.push_back(std::move(work));
    runAll(std::move(one));
  }
  void runAll(std::vector<asio::awaitable<void>> works) {
    std::exception_ptr failure;
    std::size_t left = works.size();
    for (auto& work : works) {
      asio::co_spawn(context_, std::move(work), [&](std::exception_ptr error) {
        if (error) failure = error;
        --left;
      });
    }
    context_.restart();
    while (left > 0 && context_.run_one() > 0) {
    }
    if (failure) std::rethrow_exception(failure);
  }

  asio::awaitable<void> create(int number) {
    ProviderInstance made = co_await provider_->createInstance(makeSpec(number), progress_, Deadline::after(std::chrono::minutes(2)));
    if (made.status != InstanceStatus::running) throw std::runtime_error("a Machine does not run: " + made.reason);
  }
  /// `count` creates, at most `at_once` in progress.
  void createMany(int count, int at_once) {
    int next = 0;
    auto worker = [&]() -> asio::awaitable<void> {
      while (next < count) co_await create(next++);
    };
    std::vector<asio::awaitable<void>> workers;
    for (int i = 0; i < at_once; ++i) workers.push_back(worker());
    runAll(std::move(workers));
  }
  std::size_t look() {
    std::size_t seen = 0;
    auto work = [&]() -> asio::awaitable<void> {
      InstanceList list = co_await provider_->listInstances({}, Deadline::after(std::chrono::minutes(1)));
      seen = list.complete ? list.instances.size() : 0;
    };
    run(work());
    return seen;
  }
  const flyio::MachinesClient& client() const { return provider_->client(); }

 private:
  Fly fly_;
  asio::io_context context_{1};
  std::unique_ptr<flyio::FlyIOProvider> provider_;
  NoProgress progress_;
};

int option(int count, char** arguments, std::string_view name, int otherwise) {
  for (int i = 1; i + 1 < count; ++i) {
    if (arguments[i] == name) return std::atoi(arguments[i + 1]);
  }
  return otherwise;
}

bool report(const char* what, double value, const char* unit, double most) {
  bool ok = value <= most;
  std::printf("%-58s %9.2f %-8s at most %7.0f  %s\n", what, value, unit, most, ok ? "ok" : "TOO MUCH");
  return ok;
}

}  // namespace

int main(int count, char** arguments) {
  int creates = option(count, arguments, "--creates", 200);
  int machines = option(count, arguments, "--machines", 2000);
  bool ok = true;
  try {
    Bench bench;
    bench.run(bench.create(0));  // connections, regions
    auto requests = bench.client().requests();
    Stopwatch one_by_one;
    for (int i = 1; i <= creates; ++i) bench.run(bench.create(i));
    double sent = static_cast<double>(bench.client().requests() - requests) / creates;
    std::printf("%d creates one by one: %.1f requests and %.2f ms each, the emulator's work included\n", creates, sent,
                one_by_one.wall() / creates);
    ok = report("CPU of our side for each create", one_by_one.cpu() / creates, "ms", kMostCpuPerCreate) && ok;

    Stopwatch together;
    bench.createMany(creates, creates);
    std::printf("%d creates at once: %.0f ms, %.2f ms of our CPU each\n", creates, together.wall(), together.cpu() / creates);
    ok = report("answers of 429 until here", static_cast<double>(bench.client().refusedForRate()), "", 0) && ok;

    int left = machines - 2 * creates - 1;
    if (left > 0) bench.createMany(left, kAtOnce);
    bench.restart();  // nothing is remembered
    Stopwatch look;
    std::size_t seen = bench.look();
    ok = report(format("a look at all {} Machines", seen).c_str(), look.wall(), "ms", kMostForLook) && ok;
    ok = ok && seen == static_cast<std::size_t>(std::max(machines, 2 * creates + 1));
    Stopwatch again;
    bench.look();
    std::printf("a second look: %.0f ms\n", again.wall());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fly_bench: %s\n", error.what());
    return 1;
  }
  return ok ? 0 : 1;
}
