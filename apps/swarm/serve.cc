// The server process: one control loop for controller and store responses, and one loop per core for connections.
#include "serve.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <ctime>
#include <thread>

#include "async/attempt.h"
#include "async/blocking_work.h"
#include "async/deadline.h"
#include "async/loop.h"
#include "auth/accounts/accounts.h"
#include "auth/accounts/ssh_keys.h"
#include "auth/auth.h"
#include "auth/public_address.h"
#include "auth/session/access_tokens.h"
#include "auth/sharing/sharing.h"
#include "base/diagnostics/log.h"
#include "base/diagnostics/memory.h"
#include "base/diagnostics/metrics.h"
#include "base/id.h"
#include "base/text/format.h"
#include "config.h"
#include "controller/controller.h"
#include "credentials.h"
#include "gateway/refusals.h"
#include "model/rules/validation.h"
#include "net/descriptors.h"
#include "net/http/http_server.h"
#include "net/stream/splice.h"
#include "net/tls/server_certificate.h"
#include "oidc/sign_in/identity_providers.h"
#include "providers.h"
#include "server/worker.h"
#include "sqlite/data_dir.h"
#include "ssh_service.h"
#include "store/sqlite/sqlite_store.h"

namespace swarm {
namespace {

constexpr std::chrono::seconds kShutdownGrace{10};
constexpr std::chrono::seconds kCertificateCheck{10};
constexpr std::size_t kMaxRedirected = 256;  // connections of the plain port beside TLS

/// Only the main thread waits for signals; block them before any other thread is created. SIGHUP: load the certificate again.
sigset_t blockSignals(bool with_tls) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM}) sigaddset(&set, signal);
  if (with_tls) sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return set;
}

/// Zero or less: none within `time`.
int waitForSignal(const sigset_t& set, std::chrono::seconds time) {
  const timespec limit{.tv_sec = time.count(), .tv_nsec = 0};
  return ::sigtimedwait(&set, nullptr, &limit);
}

/// Memory used by downloads, lists and operations is free again soon; without this the process would keep it. Runs only at low load: less
/// than a tenth of a processor.
async::awaitable<void> giveMemoryBack() {
  constexpr std::chrono::seconds every{20};
  constexpr auto quiet = static_cast<std::clock_t>(every.count() * CLOCKS_PER_SEC / 10);
  for (std::clock_t seen = std::clock();;) {
    co_await async::sleepFor(every);
    const std::clock_t used = std::clock();
    if (used - seen < quiet) releaseFreeMemory();
    seen = used;
  }
}

class Server {
 public:
  Server(ServerConfig config, std::size_t descriptor_limit)
      : config_(std::move(config)),
        descriptor_limit_(descriptor_limit),
        store_(openSqliteStore(config_.dataDir, config_.secretsKeyFile)),
        audit_(store_->audit(), clock_, config_.audit),
        auth_(makeAuth(*store_, clock_,
                       {.access = config_.access,
                        .issuer = config_.baseDomain,
                        .tokenKeyLife = std::chrono::hours(24 * config_.tokenKeyDays),
                        .maxAccessTokenLife = std::chrono::hours(24 * config_.maxTokenDays),
                        .audit = &audit_})) {}
  ~Server() { stop(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start() {
    loadCertificate();
    bind();
    wait(audit_.open());
    if (std::optional<Secret> password = wait(auth_->initialise()))
      std::fputs(format("The user \"admin\" was created. Its password is in {}\n", keepFirstPassword(places(), *password).string()).c_str(),
                 stderr);
    ControllerOptions options;
    options.swarmId = wait(swarmId(*store_));
    options.instanceNamePrefix = config_.instanceNamePrefix;
    options.workspaceImage = config_.workspaceImage;
    options.defaultResources = config_.defaultResources;
    options.tags = config_.tags;
    options.placement = config_.placement;
    options.defaultProvider = config_.defaultProvider;
    options.urlPattern = address_.instanceUrlPattern();
    options.moveExecutor = moves_.executor();
    options.nameHold = std::chrono::hours(24 * config_.nameHoldDays);
    options.publicPorts = config_.access.publicPorts;
    // Vite and tools based on it refuse unknown host names, except *.localhost.
    if (!address_.isLocal()) options.environment["__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS"] = "." + config_.instanceDomain;
    const ProviderContext context{options.swarmId, config_.tags, config_.workspaceImage, clock_, config_.allowedImages};
    controller_ = std::make_unique<SwarmController>(control_.executor(), *store_, makeProviders(config_, context), clock_, options);
    ApiOptions api_options;
    api_options.address = address_;
    api_options.trustedProxies = config_.trustedProxies;
    api_options.candidates = candidateForms(config_);
    api_options.makeProvider = [this, context](ProviderType type, const boost::json::object& section) {
      return makeCandidate(type, section, config_, context);
    };
    api_options.audit = &audit_;
    openIdentityProviders();
    api_options.identityProviders = identity_providers_.get();
    api_options.checkStore = [this] { return checkStore(); };
    if (!config_.ssh.listen.empty()) {
      ssh_.emplace(config_);
      api_options.ssh = [this] { return ssh_->description(); };
    }
    api_ = std::make_unique<Api>(api_options, *controller_, *auth_, metrics_, clock_);
    // Administrators see warnings and errors as "log" events.
    log::setTap([bus = &controller_->events()](const std::string& line) { bus->publishText(EventType::log, "", line); });
    wait(controller_->open());
    serveConnections();
    boost::asio::co_spawn(moves_.executor(), giveMemoryBack(), boost::asio::detached);
    keepCliCredential(options.swarmId);
    watchShares();
    log::info("Serving", {{"url", address_.origin()}, {"listen", config_.listen}, {"data", config_.dataDir.string()}});
  }

  /// Once in some seconds, on the thread that called start(), like reloadCertificate().
  void refreshCertificate() {
    if (certificate_) certificate_->refresh();
  }
  void reloadCertificate() {
    if (certificate_) certificate_->reload();
  }

  /// For those who administer this machine; the server does not run.
  void resetAdminPassword() {
    wait(auth_->initialise());
    wait(audit_.record({.action = "resetAdminPassword", .kind = "user", .detail = "on the server's machine"}));
    const Accounts::Recovered recovered = wait(auth_->accounts().recoverAdmin());
    std::fputs(format("The user \"{}\" is an administrator with a new password, which is in {}. Their sessions have ended, and their "
                      "second factor is removed.\n",
                      recovered.name, keepRecoveredPassword(places(), recovered.password).string())
                   .c_str(),
               stderr);
  }

  void stop() {
    for (const auto& worker : workers_) worker->stop();
    workers_.clear();
    if (ssh_) ssh_->stop();
    if (controller_) wait(controller_->close(kShutdownGrace));
    moves_.stop();
    moves_.join();
    log::setTap({});
    api_.reset();
    controller_.reset();
    identity_providers_.reset();
  }

 private:
  async::awaitable<void> checkStore() {
    const auto executor = co_await boost::asio::this_coro::executor;
    std::optional<async::BlockingWork> check;
    try {
      check.emplace(executor, "disk-check", [this] { sqlite::DataDir::checkSpace(config_.dataDir); });
    } catch (const Error& error) {
      throw Error(ErrorCode::Unavailable, error.message());  // OutOfResources means the disk to the caller
    }
    co_await check->wait();
    co_await store_->putSetting("write check", "");
  }

  /// Runs on the control loop, and waits for the result.
  template <typename T>
  T wait(async::awaitable<T> work) {
    return boost::asio::co_spawn(control_.executor(), std::move(work), boost::asio::use_future).get();
  }

  static async::awaitable<std::string> swarmId(Store& store) {
    if (auto known = co_await store.getSetting("swarm.id")) co_return *known;
    std::string made = newId("swarm");
    co_await store.putSetting("swarm.id", made);
    co_return made;
  }

  void loadCertificate() {
    if (!config_.tls.isOn()) return;
    certificate_.emplace(config_.tls.certificateFile, config_.tls.keyFile, clock_);
    const HostScheme hosts{config_.baseDomain, config_.instanceDomain};
    for (const std::string& host : {hosts.baseHost, hosts.hostOf("name", 0)})
      if (!hosts.isLocal() && !certificate_->covers(host))
        log::warning("browsers will not accept the certificate for a host of this server",
                     {{"host", host}, {"file", config_.tls.certificateFile.string()}});
    metrics_.observe("swarm_tls_certificate_expiry_seconds", "When the certificate of the listener expires, in seconds since 1970.", {},
                     [this] { return std::chrono::duration<double>(certificate_->expiresAt().time_since_epoch()).count(); });
  }

  /// Binds the address first, so that an address in use is reported before anything is changed.
  void bind() {
    net::HostPort address = net::parseHostPort(config_.listen);
    refusePlainHttp(address.host);
    unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    int threads = config_.threads > 0 ? config_.threads : static_cast<int>(std::min(cores, 4u));
    if (threads > 1 && address.port != 0) {
      // A shared port could be bound by a second server, too: check that the port is free.
      net::listenTcp(control_.executor(), address)->close();
    }
    for (int i = 0; i < threads; ++i) {
      loops_.push_back(std::make_unique<async::Loop>(format("swarm-io-{}", i)));
      auto sharing = threads > 1 ? net::Listener::Sharing::ReusePort : net::Listener::Sharing::Exclusive;
      listeners_.push_back(net::listenTcp(loops_.back()->executor(), address, sharing));
      address.port = listeners_.front()->port();
    }
    config_.listen = net::toString(address);
    if (!config_.tls.redirectListen.empty())
      redirect_ = net::listenTcp(loops_.front()->executor(), net::parseHostPort(config_.tls.redirectListen));
    const net::Url own{.tls = config_.tls.isOn(), .host = config_.baseDomain, .port = address.port};
    address_ = PublicAddress({config_.baseDomain, config_.instanceDomain}, config_.publicUrl.value_or(own));
  }

  /// Nothing is requested from them before the first sign-in: the server starts without them.
  void openIdentityProviders() {
    if (config_.identityProviders.empty()) return;
    identity_providers_ = std::make_unique<oidc::IdentityProviders>(config_.identityProviders,
                                                                    oidc::IdentityProviders::Parts{.auth = *auth_,
                                                                                                   .identities = store_->identities(),
                                                                                                   .audit = &audit_,
                                                                                                   .clock = clock_,
                                                                                                   .loop = moves_.executor(),
                                                                                                   .origin = address_.origin()});
    wait(identity_providers_->load());
  }

  /// The actions of the gateway's pages, implemented by the controller.
  WorkspaceActions workspaceActions() {
    SwarmController& controller = *controller_;
    return {.create = [&controller](Principal principal, std::string name) -> async::awaitable<std::string> {
              CreateRequest request;
              request.owner = request.actor = principal.user;
              request.config.name = std::move(name);
              std::vector<FieldError> faults;
              validate(request.config, faults);
              if (!faults.empty()) throw Error(ErrorCode::InvalidArgument, format("The name {}.", faults.front().detail));
              auto begun = co_await controller.createInstance(std::move(request));
              co_return begun.instance.config.name;
            },
            .start = [&controller](Principal principal, InstanceId id) -> async::awaitable<void> {
              co_await controller.startInstance(id.str(), principal.user);
            },
            .stop = [&controller](Principal principal, InstanceId id) -> async::awaitable<void> {
              co_await controller.stopInstance(id.str(), principal.user);
            },
            .sharePort = [&controller](Principal, InstanceId id, std::uint16_t port) -> async::awaitable<void> {
              co_await controller.setPort(id.str(), port, {.level = PortLevel::shared});
            }};
  }

  /// An attacker on the network path can read passwords and cookies sent over plain HTTP.
  void refusePlainHttp(const std::string& host) const {
    const bool is_loopback = host == "localhost" || host == "::1" || host.starts_with("127.");
    if (is_loopback || config_.tls.isOn()) return;
    const bool behind_proxy = config_.publicUrl && config_.publicUrl->tls;
    if (behind_proxy && !config_.trustedProxies.empty()) return;
    if (!behind_proxy && !config_.insecureHttp)
      throw Error(
          ErrorCode::InvalidArgument,
          format("Listening at {} would serve plain HTTP to other machines: passwords and cookies could be read on the network. Give the "
                 "server a certificate (--tls-certificate and --tls-key), put a proxy with TLS in front and set --public-url https://…, or "
                 "accept the risk with --insecure-http.",
                 config_.listen));
    log::warning(behind_proxy ? "plain HTTP is served to other machines: name the proxy in trustedProxies, and let no other reach this port"
                              : "plain HTTP is served to other machines",
                 {{"listen", config_.listen}});
  }

  void serveConnections() {
    GatewayOptions options;
    options.audit = &audit_;
    options.providers = identity_providers_.get();
    options.actions = workspaceActions();
    options.address = address_;
    options.trustedProxies = config_.trustedProxies;
    const net::DescriptorPlan plan = net::planDescriptors(descriptor_limit_);
    options.maxIdle = plan.idleUpstreams / loops_.size();
    // A workspace's page must not use up the connections of its user's other workspaces, or of the server.
    options.tunnels = std::make_shared<OpenBudget>(
        OpenLimits{.perUser = 512, .perInstance = 256, .total = plan.connections / 2, .reservedFor = "VS Code"});
    options.requests = std::make_shared<OpenBudget>(OpenLimits{
        .perUser = 1024, .perInstance = 512, .total = plan.connections / 2, .things = "requests in progress", .reservedFor = "VS Code"});
    options.preflights = std::make_shared<OpenBudget>(
        OpenLimits{.perUser = SIZE_MAX, .perInstance = 512, .total = plan.connections / 8, .things = "preflights"});
    options.visitors = std::make_shared<OpenBudget>(
        OpenLimits{.perUser = 64, .perInstance = 256, .total = plan.connections / 4, .things = "requests and connections to public ports"});
    options.forms = std::make_shared<OpenBudget>(OpenLimits{.bytesPerUser = 4 * 1024 * 1024});
    if (ssh_) ssh_->start(*controller_, *auth_, audit_, options.tunnels, clock_);
    for (auto& loop : loops_) {
      workers_.push_back(std::make_unique<Worker>(std::move(loop), options, *controller_, *auth_, *api_, clock_));
    }
    countConnections();
    for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->serve(std::move(listeners_[i]), serverOptions());
    if (redirect_) workers_.front()->redirect(std::move(redirect_), redirectOptions());
    loops_.clear();
    listeners_.clear();
  }

  /// Each loop gets its share of the connections: the kernel distributes them evenly.
  net::HttpServerOptions serverOptions() const {
    const net::DescriptorPlan plan = net::planDescriptors(descriptor_limit_);
    net::HttpServerOptions options;
    if (certificate_) options.tls = certificate_->context();
    options.maxConnections = (plan.connections + workers_.size() - 1) / workers_.size();
    options.maxPerAddress = (plan.perAddress + workers_.size() - 1) / workers_.size();
    options.maxHeadBytesPerAddress /= workers_.size();
    if (const TrustedProxies& proxies = config_.trustedProxies; !proxies.empty()) {
      options.isProxy = [proxies](std::string_view address) { return proxies.contains(address); };
      options.clientOf = [proxies](const net::HeaderViews& headers, std::string_view peer) { return proxies.clientAddress(peer, headers); };
    }
    options.oddPaths = net::OddPaths::Mark;
    options.refusal = gateway::refusalResponse;
    if (address_.requiresHttps()) options.always = {{"Strict-Transport-Security", "max-age=31536000"}};
    return options;
  }

  /// Few connections, and none for long: each receives one response.
  net::HttpServerOptions redirectOptions() const {
    net::HttpServerOptions options;
    options.headTimeout = std::chrono::seconds(10);
    options.maxConnections = std::min(kMaxRedirected, net::planDescriptors(descriptor_limit_).connections / 8);
    options.maxPerAddress = options.maxConnections / 4;
    options.refusal = gateway::refusalResponse;
    return options;
  }

  /// The gateways' own counters, summed at each request for /metrics.
  void countConnections() {
    auto sum = [this](auto member) {
      return [this, member] {
        double total = 0;
        for (const auto& worker : workers_) total += static_cast<double>(worker->counters().*member);
        return total;
      };
    };
    metrics_.observe("swarm_gateway_requests", "Requests forwarded to workspaces since the start", {}, sum(&Gateway::Counters::requests));
    metrics_.observe("swarm_gateway_tunnels", "WebSockets and other upgrades since the start", {}, sum(&Gateway::Counters::tunnels));
    metrics_.observe("swarm_gateway_failures", "Requests whose workspace was unreachable or closed the connection early", {},
                     sum(&Gateway::Counters::failures));
    metrics_.observe("swarm_gateway_open_exchanges", "Requests and tunnels in progress", {}, sum(&Gateway::Counters::openExchanges));
  }

  CredentialPlaces places() const { return {config_.credentialsDir, config_.dataDir}; }

  /// Ends shares and levels of ports when their time has passed. On a loop that ends before the parts.
  void watchShares() {
    auto watch = [](Sharing& sharing, SwarmController& controller) -> async::awaitable<void> {
      for (;;) {
        co_await async::sleepFor(std::chrono::milliseconds(250));
        if (const auto ended = co_await async::attempt(controller.endExpiredPorts()); !ended)
          log::warning("failed to remove expired levels of ports from the store", {{"error", ended.error().message()}});
        if (const auto ended = co_await async::attempt(sharing.endExpired()); !ended)
          log::warning("failed to remove expired shares from the store", {{"error", ended.error().message()}});
      }
    };
    boost::asio::co_spawn(moves_.executor(), watch(auth_->sharing(), *controller_), boost::asio::detached);
  }

  /// Keeps the CLI of the server's operator signed in.
  void keepCliCredential(const std::string& server_id) {
    credential_ = std::make_unique<MachineCredential>(places(), address_.origin(), server_id, *store_, *auth_, clock_);
    wait(credential_->keep());
    auto daily = [](MachineCredential& credential, Auth& auth, Audit& audit) -> async::awaitable<void> {
      for (;;) {
        if (const auto pruned = co_await async::attempt(audit.prune()); !pruned)
          log::warning("failed to remove old records of the audit log", {{"error", pruned.error().message()}});
        co_await async::sleepFor(std::chrono::hours(24));
        if (const auto renewed = co_await async::attempt(auth.renewTokenKey()); !renewed)
          log::warning("failed to renew the key that signs API tokens", {{"error", renewed.error().message()}});
        if (const auto loaded = co_await async::attempt(auth.sharing().load()); !loaded)  // forgets those of deleted workspaces
          log::warning("failed to load the shares again", {{"error", loaded.error().message()}});
        if (const auto kept = co_await async::attempt(credential.keep()); !kept)
          log::warning("failed to renew the credential of the command line", {{"error", kept.error().message()}});
      }
    };
    boost::asio::co_spawn(control_.executor(), daily(*credential_, *auth_, audit_), boost::asio::detached);
    auto each_minute = [](Auth& auth) -> async::awaitable<void> {
      for (;;) {
        co_await async::sleepFor(std::chrono::minutes(1));
        if (const auto saved = co_await async::attempt(auth.accessTokens().maintain()); !saved)
          log::warning("failed to store the last uses of access tokens", {{"error", saved.error().message()}});
        if (const auto saved = co_await async::attempt(auth.sshKeys().maintain()); !saved)
          log::warning("failed to store the last uses of SSH keys", {{"error", saved.error().message()}});
      }
    };
    boost::asio::co_spawn(control_.executor(), each_minute(*auth_), boost::asio::detached);
  }

  ServerConfig config_;
  std::size_t descriptor_limit_;
  PublicAddress address_;
  RealClock clock_;
  Metrics metrics_;
  async::Loop control_{"swarm-control"};
  async::Loop moves_{"swarm-moves"};  ///< transfers the bytes of moves, so that they do not block other work
  std::unique_ptr<Store> store_;
  Audit audit_;
  std::unique_ptr<Auth> auth_;
  std::unique_ptr<MachineCredential> credential_;
  std::unique_ptr<oidc::IdentityProviders> identity_providers_;  ///< null: none is configured
  std::unique_ptr<SwarmController> controller_;
  std::unique_ptr<Api> api_;
  std::vector<std::unique_ptr<async::Loop>> loops_;
  std::optional<net::ServerCertificate> certificate_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::unique_ptr<net::Listener> redirect_;  ///< of the first loop
  std::vector<std::unique_ptr<Worker>> workers_;
  std::optional<SshService> ssh_;
};

/// They would contain the keys that sign tokens, and passwords.
void forbidCoreDumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

}  // namespace

int serve(const cli::ServeFlags& flags) {
  forbidCoreDumps();
  ServerConfig config = loadServerConfig(flags);
  configureHeap();
  log::configure(config.logLevel, config.logStyle);
  const sigset_t signals = blockSignals(config.tls.isOn());
  const std::size_t descriptor_limit = net::raiseDescriptorLimit();
  net::setMaxPipes(static_cast<int>(net::planDescriptors(descriptor_limit).pipes));
  Server server(std::move(config), descriptor_limit);
  if (flags.resetAdminPassword) {
    server.resetAdminPassword();
    return cli::kDone;
  }
  server.start();
  int received = 0;
  while (received != SIGINT && received != SIGTERM) {
    received = waitForSignal(signals, kCertificateCheck);
    if (received == SIGHUP)
      server.reloadCertificate();
    else if (received <= 0)
      server.refreshCertificate();
  }
  log::info("Stopping; workspaces continue to run", {{"signal", received}});
  server.stop();
  return cli::kDone;
}

}  // namespace swarm
