// Times of the Fly provider against the emulator in a thread of its own, so that the CPU time of the two is separate.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/id.h"
#include "base/text/format.h"
#include "fly_service.h"
#include "provider/flyio/flyio_provider.h"

namespace {

namespace asio = boost::asio;
using namespace swarm;
using bench::FlyService;
using bench::report;
using bench::Stopwatch;

constexpr double kMaxCpuPerCreate = 5;  // ms
constexpr double kMaxForList = 2'000;   // ms
constexpr int kAtOnce = 100;            // concurrent creates while the Machines for the list are made

InstanceSpec makeSpec(int number) {
  InstanceSpec spec{PlaceId(newId("i")), format("bench{}", number), "ada", {}, R"({"instanceId":"x"})", {}};
  spec.config.name = spec.name;
  spec.config.image = "workspace";
  spec.config.storage = {{10, true, "/home/coder", ""}};
  return spec;
}

class Bench {
 public:
  Bench() { restart(); }
  void restart() { provider_ = std::make_unique<flyio::FlyIOProvider>(fly_.providerConfig(), "bench", fly_.clock()); }
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
  std::size_t list() {
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
  FlyService fly_;
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
    ok = report("CPU of our side for each create", one_by_one.cpu() / creates, "ms", kMaxCpuPerCreate) && ok;

    Stopwatch together;
    bench.createMany(creates, creates);
    std::printf("%d creates at once: %.0f ms, %.2f ms of our CPU each\n", creates, together.wall(), together.cpu() / creates);
    ok = report("answers of 429 until here", static_cast<double>(bench.client().refusedForRate()), "", 0) && ok;

    int left = machines - 2 * creates - 1;
    if (left > 0) bench.createMany(left, kAtOnce);
    bench.restart();  // nothing is remembered
    Stopwatch list;
    std::size_t seen = bench.list();
    ok = report(format("a list of all {} Machines", seen), list.wall(), "ms", kMaxForList) && ok;
    ok = ok && seen == static_cast<std::size_t>(std::max(machines, 2 * creates + 1));
    Stopwatch again;
    bench.list();
    std::printf("a second list: %.0f ms\n", again.wall());
    ok = bench::benchReconcile(machines, std::chrono::milliseconds(option(count, arguments, "--latency", 50))) && ok;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fly_bench: %s\n", error.what());
    return 1;
  }
  return ok ? 0 : 1;
}
