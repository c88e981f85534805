// Times of the API with 1,000 instances on the fake provider, and what an idle server costs: api_bench [--instances N] [--requests N], or
// api_bench --pid PID for the memory and CPU time of a server that runs already. Build with the release preset.
#include <unistd.h>

#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "api/api.h"
#include "async/loop.h"
#include "base/diagnostics/log.h"
#include "base/id.h"
#include "net/http/http_client.h"
#include "provider/fake/fake_provider.h"
#include "store/sqlite/sqlite_store.h"

namespace {

using namespace swarm;

constexpr std::chrono::seconds kIdle{10};

struct Options {
  int instances = 1000;
  int requests = 2000;
  std::string pid;
};

/// Blocks the caller, which is not a loop's thread.
template <typename T>
T wait(async::Executor executor, awaitable<T> work) {
  auto future = boost::asio::co_spawn(executor, std::move(work), boost::asio::use_future);
  return future.get();
}

double residentMegabytes(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/statm");
  long total = 0;
  long resident = 0;
  file >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

/// User and system time of a process and all its threads, in milliseconds (resolution: the kernel's tick).
double cpuMilliseconds(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::size_t at = text.rfind(')');
  if (at == std::string::npos) return -1;
  std::istringstream rest(text.substr(at + 1));
  std::string field;
  double ticks = 0;
  for (int i = 3; i <= 15 && rest >> field; ++i) {
    if (i >= 14) ticks += std::stod(field);
  }
  return ticks * 1000 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void measureIdle(const std::string& pid) {
  double before = cpuMilliseconds(pid);
  std::this_thread::sleep_for(kIdle);
  double after = cpuMilliseconds(pid);
  std::printf("idle for %lld s: RSS %.1f MB, CPU %.0f ms\n", static_cast<long long>(kIdle.count()), residentMegabytes(pid), after - before);
}

/// The server, put together as apps/swarm does, on a control loop and a serving loop.
class Server {
 public:
  Server() : folder_(std::filesystem::temp_directory_path() / ("swarm-bench-" + toHex(randomBytes(6)))) {
    store_ = openSqliteStore(folder_);
    auth_ = makeAuth(*store_, clock_);
    wait(control_.executor(), auth_->initialise());
    token_ = wait(control_.executor(), auth_->issue("admin", std::chrono::hours(1))).token.reveal();
    std::map<ProviderType, ProviderPtr> providers;
    providers[ProviderType::fake] = std::make_unique<fake::FakeProvider>(world_, clock_);
    controller_ = std::make_unique<SwarmController>(control_.executor(), *store_, std::move(providers), clock_, ControllerOptions{});
    wait(control_.executor(), controller_->open());
    api_ = std::make_unique<Api>(ApiOptions{}, *controller_, *auth_, metrics_, clock_);
    wait(serving_.executor(), start());
  }
  ~Server() {
    wait(serving_.executor(), stop());
    run_.get();
    wait(control_.executor(), controller_->close(std::chrono::seconds(5)));
    api_.reset();
    controller_.reset();
    auth_.reset();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::uint16_t port() const { return server_->port(); }
  const std::string& token() const { return token_; }

  /// Creates them through the controller, a hundred at a time.
  void fill(int count) {
    wait(control_.executor(), [](SwarmController& controller, int wanted) -> awaitable<void> {
      std::vector<std::string> pending;
      for (int i = 0; i < wanted; ++i) {
        CreateRequest request;
        request.owner = "admin";
        request.actor = "admin";
        request.provider = ProviderType::fake;
        request.config.name = "bench-" + std::to_string(i);
        request.config.labels["group"] = std::to_string(i % 10);
        pending.push_back((co_await controller.createInstance(std::move(request))).operation.id);
        if (pending.size() < 100 && i + 1 < wanted) continue;
        for (const std::string& id : pending) co_await controller.waitForOperation(id, Deadline::after(std::chrono::seconds(60)));
        pending.clear();
      }
    }(*controller_, count));
  }

 private:
  awaitable<void> start() {
    server_ = std::make_unique<net::HttpServer>(net::listenTcp(serving_.executor(), {"127.0.0.1", 0}),
                                                [this](net::Exchange& exchange) { return api_->handle(exchange); });
    run_ = boost::asio::co_spawn(serving_.executor(), server_->run(), boost::asio::use_future);
    co_return;
  }
  awaitable<void> stop() {
    server_->stop();
    co_return;
  }

  RealClock clock_;
  std::filesystem::path folder_;
  fake::FakeWorld world_{clock_};
  Metrics metrics_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Auth> auth_;
  std::unique_ptr<SwarmController> controller_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<net::HttpServer> server_;
  std::future<void> run_;
  std::string token_;
  async::Loop control_{"control"};
  async::Loop serving_{"serving"};
};

awaitable<std::vector<double>> timeRequests(net::HttpClient& client, std::string target, std::string token, int count) {
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    net::HttpRequest request;
    request.target = target;
    request.headers = {{"Authorization", "Bearer " + token}};
    auto begin = std::chrono::steady_clock::now();
    net::HttpResponse response = co_await client.send(std::move(request), Deadline::after(std::chrono::seconds(10)));
    std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    if (response.status != 200) throw Error(ErrorCode::UpstreamFailed, target + " answered " + std::to_string(response.status));
    times.push_back(took.count());
  }
  co_return times;
}

awaitable<void> measure(Server& server, int requests) {
  net::HostPort address{"127.0.0.1", server.port()};
  net::HttpClient client([address](Deadline deadline) { return net::connectTcp(address, deadline); },
                         net::HttpClientOptions{.host = "localhost"});
  std::printf("%-48s %9s %9s %9s\n", "one client, keep-alive", "p50 ms", "p99 ms", "max ms");
  for (std::string target : {"/api/instances?limit=100", "/api/instances?limit=100&label.group=3", "/api/instances/bench-500",
                             "/api/swarm/status", "/healthz"}) {
    co_await timeRequests(client, target, server.token(), requests / 10);  // warm up
    std::vector<double> times = co_await timeRequests(client, target, server.token(), requests);
    std::sort(times.begin(), times.end());
    std::printf("%-48s %9.3f %9.3f %9.3f\n", target.c_str(), times[times.size() / 2], times[times.size() * 99 / 100], times.back());
  }
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string name = argv[i];
    if (name == "--instances") options.instances = std::stoi(argv[i + 1]);
    if (name == "--requests") options.requests = std::stoi(argv[i + 1]);
    if (name == "--pid") options.pid = argv[i + 1];
  }
  return options;
}

int run(const Options& options) {
  log::configure(log::Level::Warning, log::Style::Text);
  if (!options.pid.empty()) {
    measureIdle(options.pid);
    return 0;
  }
  Server server;
  std::printf("without instances, ");
  std::fflush(stdout);
  measureIdle("self");
  server.fill(options.instances);
  std::printf("%d instances on the fake provider, %d requests each\n", options.instances, options.requests);
  async::Loop client("client");
  wait(client.executor(), measure(server, options.requests));
  std::printf("with %d instances, ", options.instances);
  std::fflush(stdout);
  measureIdle("self");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "api_bench: %s\n", error.what());
    return 1;
  }
}
