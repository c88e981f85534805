// Process 1 of an instance.
#include "agent/process/init.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/archive/staging.h"
#include "agent/files/transfers.h"
#include "agent/process/all_processes.h"
#include "agent/server/server.h"
#include "agent/ssh/ssh_server.h"
#include "agent/workspace/binds.h"
#include "agent/workspace/freeze.h"
#include "agent/workspace/hold.h"
#include "agent/workspace/home.h"
#include "agent/workspace/setup.h"
#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"
#include "net/connect.h"

namespace swarm::agent {
namespace {
using std::chrono::milliseconds;
constexpr std::chrono::minutes kServerPatience{15};
constexpr milliseconds kSweepStep{20};

bool hasChildren() { return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

/// Where the provider has no option for it. Returns a warning on failure: a running workspace is more useful than none.
std::string resizeSharedMemory(std::int64_t mebibytes) {
  if (mebibytes <= 0) return {};
  constexpr const char* kPath = "/dev/shm";
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const std::string size = format("size={}m", mebibytes);
  int result = ::mount("shm", kPath, "tmpfs", kFlags | MS_REMOUNT, size.c_str());
  if (result != 0 && errno == EINVAL) result = ::mount("shm", kPath, "tmpfs", kFlags, size.c_str());  // it was not a mount point
  if (result == 0) return {};
  const char* why = ::strerror(errno);
  log::error("failed to resize /dev/shm", {{"size", size}, {"error", why}});
  return format(
      "/dev/shm could not be resized to {} MiB: {}. Programs that need this much shared memory, such as browsers, may fail. The agent "
      "needs CAP_SYS_ADMIN for it; resources.shmSize = 0 keeps the default size.",
      mebibytes, why);
}

class Agent {
 public:
  explicit Agent(AgentOptions options)
      : options_(std::move(options)),
        children_(context_.get_executor()),
        vscode_(context_.get_executor(), children_, options_.environment, vscodeOptions(), options_.users),
        setup_(context_.get_executor(), children_, options_.environment, setupOptions(), options_.users),
        activity_(clock_),
        usage_(usageOptions()),
        exec_{context_.get_executor(), children_, options_.environment, options_.users, &freeze_},
        freeze_(freezeParts()),
        hold_(holdParts()),
        transfers_(hold_),
        archives_({exec_, activity_, hold_, vscode_, gitConfigText(options_.config.git), "/", hostKeyFolders()}),
        ssh_(exec_, sshOptions()),
        server_(AgentParts{options_.config.instanceId, options_.config.key, clock_, vscode_, options_.socketDirectory / "code-server.sock",
                           activity_, usage_, exec_, hold_, freeze_, transfers_, archives_, setup_, ssh_,
                           resizeSharedMemory(options_.config.shmSize)}) {}

  int run() {
    prepareStorage();
    asio::co_spawn(context_, children_.run(), asio::detached);
    // Before the first request can be served: an agent that starts held must never report or do otherwise.
    hold_.begin(options_.config.hold);
    listen();
    log::info("listening",
              {{"port", listeners_.front()->port()}, {"instance", options_.config.instanceId}, {"tls", tls_ ? "required" : "no"}});
    asio::co_spawn(context_, live(), [this](std::exception_ptr failure) {
      failure_ = failure;
      context_.stop();
    });
    context_.run();
    if (failure_) std::rethrow_exception(failure_);
    return 0;
  }

 private:
  void prepareStorage() {
    storage_failure_ = bindStorage(options_.config.binds);
    // Data written where a volume should be would be lost with the root file system: start no user processes.
    if (storage_failure_) {
      vscode_.refuse(*storage_failure_);
      transfers_.refuse(*storage_failure_);
      archives_.refuse(*storage_failure_);
      ssh_.refuse(*storage_failure_);
    }
    auto user = options_.users.find(options_.config.user);
    if (!user) return;
    if (!storage_failure_) {
      std::vector<std::string> storages{user->home};
      for (const auto& mount : options_.config.mounts) storages.push_back(mount.string());
      recoverStaging(storages, "/");
      prepareHome(*user);
      prepareMounts(*user, options_.config.mounts);
    }
    std::error_code ignored;
    std::filesystem::remove_all(sshOptions().runtime, ignored);  // left by connections that did not end
    prepareSocketDirectory(*user, options_.socketDirectory);
  }

  void listen() {
    auto executor = context_.get_executor();
    if (!options_.listenHost.empty()) return serve(net::listenTcp(executor, {options_.listenHost, options_.port}));
    bool six = false;
    try {
      serve(net::listenTcp(executor, {"::", options_.port}));
      six = true;
    } catch (const Error&) {
      // IPv6 is unavailable.
    }
    try {
      serve(net::listenTcp(executor, {"0.0.0.0", options_.port}));
    } catch (const Error&) {
      // Taken by the "::" socket, which serves both families unless configured otherwise.
      if (!six) throw;
    }
  }

  void serve(std::unique_ptr<net::Listener> listener) {
    net::HttpServerOptions options;
    // The clients are servers, which apply their own limits to the users behind them.
    options.bodyPatience = {.silence = kServerPatience};
    options.writePatience = kServerPatience;
    options.tls = tls_;
    listeners_.push_back(std::make_unique<net::HttpServer>(std::move(listener), server_.handler(), std::move(options)));
    asio::co_spawn(context_, listeners_.back()->run(), [](std::exception_ptr) {});
  }

  awaitable<void> live() {
    int number = co_await signals_.async_wait(asio::use_awaitable);
    log::info("stopping", {{"signal", number}});
    co_await stop();
  }

  void startServices() {
    if (storage_failure_) return;
    asio::co_spawn(context_, vscode_.run(), asio::detached);
    asio::co_spawn(context_, setup_.run(), asio::detached);
    asio::co_spawn(context_, ssh_.prepare(hold_), asio::detached);
    // A command that had ended successfully before a failed move is not started again.
    if (command_ && command_->state() != ServiceState::Ended) asio::co_spawn(context_, command_->run(), asio::detached);
  }

  HoldParts holdParts() {
    if (!options_.command.empty()) {
      command_.emplace(context_.get_executor(), children_, options_.environment, commandOptions(), options_.users);
    }
    return {context_.get_executor(), vscode_, [this] { startServices(); }, [this](Deadline deadline) { return stopOthers(deadline); },
            [this] { return transfers_.endReceiving(); }};
  }

  awaitable<void> stopOthers(Deadline deadline) {
    if (command_) co_return co_await async::both(command_->stop(deadline), setup_.stop(deadline));
    co_await setup_.stop(deadline);
  }

  FreezeParts freezeParts() {
    return {context_.get_executor(), [this](bool paused) {
              vscode_.setPaused(paused);
              if (command_) command_->setPaused(paused);
              setup_.setPaused(paused);
            }};
  }

  awaitable<void> stop() {
    freeze_.end();
    hold_.end();
    for (auto& listener : listeners_) listener->stop();
    auto end = Deadline::after(options_.stopPatience);
    // VS Code first and alone: it saves its state while its terminals and helpers still run.
    auto its_end = Deadline::after(options_.stopPatience * 3 / 4);
    co_await async::both(vscode_.stop(its_end), stopOthers(its_end));
    co_await transfers_.endAll();
    co_await sweep(end);
    log::info("stopped");
  }

  awaitable<void> sweep(Deadline deadline) {
    children_.stop();
    requestTermination();
    while (hasChildren() && !deadline.hasPassed()) co_await async::sleepFor(kSweepStep);
    // Repeat: processes started during one scan are killed by the next.
    do {
      signalAll(SIGKILL);
    } while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR);
  }

  ServiceOptions vscodeOptions() const {
    ServiceOptions service;
    service.name = "code-server";
    service.title = "VS Code";
    service.socket = options_.socketDirectory / "code-server.sock";
    service.command = options_.launcher;
    service.command.insert(service.command.end(), {"--socket", service.socket.string(), "--socket-mode", "600"});
    service.user = options_.config.user;
    return service;
  }

  ServiceOptions commandOptions() const {
    ServiceOptions service;
    service.name = "command";
    service.title = "The command";
    service.command = options_.command;
    service.user = options_.config.user;
    service.restart = Restart::OnFailure;
    return service;
  }

  SetupOptions setupOptions() const {
    SetupOptions setup;
    setup.script = options_.config.setup;
    setup.git = options_.config.git;
    setup.user = options_.config.user;
    if (auto user = options_.users.find(setup.user)) setup.home = user->home;
    setup.mark = options_.setupMark;
    return setup;
  }

  SshOptions sshOptions() const {
    SshOptions ssh;
    ssh.instanceId = options_.config.instanceId;
    ssh.user = options_.config.user;
    ssh.runtime = options_.socketDirectory / "ssh";
    return ssh;
  }

  std::vector<std::string> hostKeyFolders() const {
    const auto user = options_.users.find(options_.config.user);
    if (!user) return {};
    return {std::filesystem::path(user->home) / kHostKeyFolder};
  }

  UsageMeter::Options usageOptions() const {
    UsageMeter::Options usage;
    if (auto user = options_.users.find(options_.config.user)) usage.storage.emplace_back(user->home);
    for (const auto& mount : options_.config.mounts) {
      if (std::ranges::find(usage.storage, mount) == usage.storage.end()) usage.storage.push_back(mount);
    }
    return usage;
  }

  AgentOptions options_;
  RealClock clock_;
  asio::io_context context_{1};
  asio::signal_set signals_{context_, SIGTERM, SIGINT};  // installed first: a signal that arrives while storage is filled is kept
  Children children_;
  Service vscode_;
  std::optional<Service> command_;
  Setup setup_;
  Activity activity_;
  UsageMeter usage_;
  ExecContext exec_;
  Freeze freeze_;
  Hold hold_;
  Transfers transfers_;
  Archives archives_;
  SshServer ssh_;
  AgentServer server_;
  std::shared_ptr<net::TlsContext> tls_ = options_.config.tlsKey.empty() ? nullptr : net::makePinnedServer(options_.config.tlsKey);
  std::vector<std::unique_ptr<net::HttpServer>> listeners_;
  std::optional<std::string> storage_failure_;
  std::exception_ptr failure_;
};

}  // namespace

int runAgent(AgentOptions options) {
  // Writing to a command that has ended must give an error code, not end the agent.
  ::signal(SIGPIPE, SIG_IGN);
  // Orphans are reparented to the agent even where another process is process 1: they receive signals with all the others.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  raiseDescriptorLimit();
  auto agent = std::make_unique<Agent>(std::move(options));
  int exit_code = agent->run();
  // Tunnels and sessions still refer to its parts. They end with the process, which ends here.
  static_cast<void>(agent.release());
  return exit_code;
}

}  // namespace swarm::agent
