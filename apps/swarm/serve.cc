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

#include "async/blocking_work.h"
#include "async/deadline.h"
#include "async/loop.h"
#include "auth/accounts/accounts.h"
#include "auth/auth.h"
#include "auth/sharing/groups.h"
#include "auth/sharing/sharing.h"
#include "base/diagnostics/log.h"
#include "base/diagnostics/memory.h"
#include "base/diagnostics/metrics.h"
#include "base/id.h"
#include "base/text/format.h"
#include "config.h"
#include "controller/controller.h"
#include "credentials.h"
#include "model/rules/validation.h"
#include "net/descriptors.h"
#include "net/stream/splice.h"
#include "oidc/sign_in/identity_providers.h"
#include "providers.h"
#include "server/connections.h"
#include "server/upkeep.h"
#include "sqlite/data_dir.h"
#include "ssh_service.h"
#include "store/sqlite/sqlite_store.h"

namespace swarm {
namespace {

constexpr std::chrono::seconds kShutdownGrace{10};
constexpr std::chrono::seconds kCertificateCheck{10};

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

/// The actions of the gateway's pages, implemented by the controller.
WorkspaceActions workspaceActions(SwarmController& controller) {
  return {.create = [&controller](Principal principal, std::string name) -> async::awaitable<std::string> {
            CreateRequest request;
            request.owner = principal.user;
            request.actor = principal.user;
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
                        .audit = &audit_,
                        .ssh = config_.ssh.trust})) {}
  ~Server() { stop(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start() {
    // The addresses first, so that one in use is reported before anything is changed.
    connections_.emplace(config_, descriptor_limit_, metrics_, clock_);
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
    options.urlPattern = address().instanceUrlPattern();
    options.moveExecutor = moves_.executor();
    options.nameHold = std::chrono::hours(24 * config_.nameHoldDays);
    options.publicPorts = config_.access.publicPorts;
    options.usageInterval = config_.usageInterval;
    options.limits = config_.limits;
    options.directory = {
        .standingOf = [this](const std::string& user) { return Standing{auth_->roleOf(user), auth_->groups().groupsOf(user)}; },
        .membersOf = [this](const std::string& group) { return auth_->groups().find(group).value_or(GroupRecord()).members; }};
    // Vite and tools based on it refuse unknown host names, except *.localhost.
    if (!address().isLocal()) options.environment["__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS"] = "." + config_.instanceDomain;
    const ProviderContext context{options.swarmId, config_.tags, config_.workspaceImage, clock_, config_.allowedImages};
    controller_ = std::make_unique<SwarmController>(control_.executor(), *store_, makeProviders(config_, context), clock_, options);
    ApiOptions api_options;
    api_options.address = address();
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
    keepCliCredential(options.swarmId);
    beginUpkeep();
    log::info("Serving", {{"url", address().origin()}, {"listen", connections_->listen()}, {"data", config_.dataDir.string()}});
  }

  /// Once in some seconds, on the thread that called start(), like reloadCertificate().
  void refreshCertificate() { connections_->refreshCertificate(); }
  void reloadCertificate() { connections_->reloadCertificate(); }

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
    if (connections_) connections_->stop();
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

  /// Nothing is requested from them before the first sign-in: the server starts without them.
  void openIdentityProviders() {
    if (config_.identityProviders.empty()) return;
    identity_providers_ = std::make_unique<oidc::IdentityProviders>(config_.identityProviders,
                                                                    oidc::IdentityProviders::Parts{.auth = *auth_,
                                                                                                   .identities = store_->identities(),
                                                                                                   .audit = &audit_,
                                                                                                   .clock = clock_,
                                                                                                   .loop = moves_.executor(),
                                                                                                   .origin = address().origin()});
    wait(identity_providers_->load());
  }

  void serveConnections() {
    GatewayOptions options = connections_->gatewayOptions();
    options.audit = &audit_;
    options.providers = identity_providers_.get();
    options.actions = workspaceActions(*controller_);
    if (ssh_) ssh_->start(*controller_, *auth_, audit_, options.tunnels, clock_);
    connections_->serve(options, *controller_, *auth_, *api_);
  }

  CredentialPlaces places() const { return {config_.credentialsDir, config_.dataDir}; }

  /// Keeps the CLI of the server's operator signed in.
  void keepCliCredential(const std::string& server_id) {
    credential_ = std::make_unique<MachineCredential>(places(), address().origin(), server_id, *store_, *auth_, clock_);
    wait(credential_->keep());
  }

  /// Expired shares and memory on a loop that ends before the parts.
  void beginUpkeep() {
    boost::asio::co_spawn(moves_.executor(), giveMemoryBack(), boost::asio::detached);
    boost::asio::co_spawn(moves_.executor(), endExpired(auth_->sharing(), *controller_), boost::asio::detached);
    boost::asio::co_spawn(moves_.executor(), followRevokedKeys(auth_->revokedKeys()), boost::asio::detached);
    boost::asio::co_spawn(control_.executor(), maintainDaily(*credential_, *auth_, audit_), boost::asio::detached);
    boost::asio::co_spawn(control_.executor(), keepLastUses(*auth_), boost::asio::detached);
  }

  const PublicAddress& address() const { return connections_->address(); }

  ServerConfig config_;
  std::size_t descriptor_limit_;
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
  std::optional<Connections> connections_;
  std::optional<SshService> ssh_;
};

/// They would contain the keys that sign tokens, and passwords. The kernel applies no limit to a program that core_pattern names, except 1
/// byte, with which it dumps nothing at all.
void forbidCoreDumps() {
  const rlimit none{1, 1};
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
