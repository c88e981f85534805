// Our gateway as the benchmarks run it: one thread, the real server of HTTP and TLS, sign-in, audit log and store, and plain TCP to the
// application instead of an agent. Prints its ports, and the cookie that a request needs.
// Usage: gateway_proxy UPSTREAM_PORT DATA_FOLDER [CERTIFICATE KEY]
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "audit/audit.h"
#include "auth/browser/cookies.h"
#include "gateway/gateway.h"
#include "net/connect.h"
#include "net/tls/server_certificate.h"
#include "store/sqlite/sqlite_store.h"
#include "unchecked.h"

namespace swarm {
namespace {

namespace fs = std::filesystem;

class PlainTcp final : public gateway::UpstreamConnector {
 public:
  explicit PlainTcp(std::uint16_t port) : port_(port) {}
  async::awaitable<net::StreamPtr> connect(std::shared_ptr<const InstanceRoute>, std::uint16_t, Deadline deadline) override {
    return net::connectTcp({"127.0.0.1", port_}, deadline);
  }

 private:
  std::uint16_t port_;
};

/// As apps/swarm/serve.cc has them.
GatewayOptions optionsWith(Audit& audit) {
  GatewayOptions options;
  options.audit = &audit;
  options.requests = std::make_shared<OpenBudget>(
      OpenLimits{.perUser = 1024, .perInstance = 512, .total = 4096, .things = "requests in progress", .reservedFor = "VS Code"});
  options.tunnels = std::make_shared<OpenBudget>(OpenLimits{.perUser = 512, .perInstance = 256, .total = 4096, .reservedFor = "VS Code"});
  return options;
}

struct Arguments {
  std::uint16_t upstream;
  fs::path folder;
  fs::path certificate{};
  fs::path key{};
};

class Bench {
 public:
  explicit Bench(Arguments arguments)
      : arguments_(std::move(arguments)),
        store_(openSqliteStore(arguments_.folder)),
        audit_(store_->audit(), clock_, {}),
        auth_(makeAuth(*store_, clock_, {.audit = &audit_})) {
    auto route = std::make_shared<InstanceRoute>();
    route->instanceId = InstanceId("i-01");
    route->name = "ws";
    route->owner = "admin";
    route->status = InstanceStatus::running;
    route->ready = true;
    auto table = std::make_shared<RouteTable>();
    (*table)["ws"] = route;
    routes_.publish(table);
    gateway_.emplace(context_.get_executor(), optionsWith(audit_), routes_, *auth_, clock_,
                     std::make_unique<PlainTcp>(arguments_.upstream));
    unchecked_.emplace(context_.get_executor(), optionsWith(audit_), routes_, *auth_, clock_, upstream_);
    if (!arguments_.certificate.empty()) certificate_.emplace(arguments_.certificate, arguments_.key, clock_);
  }

  void run() {
    boost::asio::co_spawn(context_, start(), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
    context_.run();
  }

 private:
  async::awaitable<void> start() {
    co_await audit_.open();
    co_await auth_->initialise();
    const LoginResult login = co_await auth_->issue("admin", std::chrono::hours(1));
    // Not coroutines themselves, as in the server.
    const net::HttpHandler checked = [this](net::Exchange& exchange) {
      return gateway_->handle(exchange, gateway_->parseHost(exchange.head().host));
    };
    const net::HttpHandler unchecked = [this](net::Exchange& exchange) { return unchecked_->handle(exchange); };
    serve("checked", checked);
    serve("unchecked", unchecked);
    if (certificate_) serve("tls", checked, certificate_->context());
    const CookieNames names = makeCookieNames("swarm.localhost:7420", /*secure=*/true);
    std::printf("cookie %s=%s\n", names.session.c_str(), auth_->issueInstanceCookie(login.principal, "i-01").c_str());
    std::fflush(stdout);
  }

  void serve(const char* name, net::HttpHandler handler, std::shared_ptr<net::TlsContext> tls = nullptr) {
    net::HttpServerOptions options;
    options.tls = std::move(tls);
    auto listener = net::listenTcp(context_.get_executor(), {"127.0.0.1", 0});
    std::printf("%s %d\n", name, static_cast<int>(listener->port()));
    servers_.push_back(std::make_unique<net::HttpServer>(std::move(listener), std::move(handler), std::move(options)));
    boost::asio::co_spawn(context_, servers_.back()->run(), boost::asio::detached);
  }

  Arguments arguments_;
  RealClock clock_;
  boost::asio::io_context context_{1};
  std::unique_ptr<Store> store_;
  Audit audit_;
  std::unique_ptr<Auth> auth_;
  RouteSource routes_;
  PlainTcp upstream_{arguments_.upstream};
  std::optional<Gateway> gateway_;
  std::optional<UncheckedGateway> unchecked_;
  std::optional<net::ServerCertificate> certificate_;
  std::vector<std::unique_ptr<net::HttpServer>> servers_;
};

}  // namespace
}  // namespace swarm

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) return 2;
  swarm::Arguments arguments{.upstream = static_cast<std::uint16_t>(std::atoi(argv[1])), .folder = argv[2]};
  if (argc == 5) arguments.certificate = argv[3];
  if (argc == 5) arguments.key = argv[4];
  swarm::Bench(std::move(arguments)).run();
}
