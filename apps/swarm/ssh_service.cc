#include "ssh_service.h"

#include <unistd.h>

#include <boost/asio/use_future.hpp>
#include <functional>

#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"
#include "ssh/host_key.h"

namespace swarm {
namespace {
namespace fs = std::filesystem;

constexpr std::string_view kProgram = "swarm-ssh";

fs::path findProgram(const ServerConfig& config) {
  const fs::path program =
      config.ssh.programFile.empty() ? fs::read_symlink("/proc/self/exe").parent_path() / kProgram : config.ssh.programFile;
  if (::access(program.c_str(), X_OK) == 0) return program;
  throw Error(ErrorCode::Unprocessable,
              format("The SSH listener requires the program {}, which is missing. Install it with swarm, or remove [ssh] listen.",
                     program.native()));
}

void runOn(async::Loop& loop, const std::function<void()>& action) {
  boost::asio::post(loop.context(), boost::asio::use_future(action)).get();
}

}  // namespace

SshService::SshService(const ServerConfig& config) : host_(config.publicUrl ? config.publicUrl->host : config.baseDomain) {
  options_.address = net::parseHostPort(config.ssh.listen);
  options_.program = findProgram(config);
  // The data folder exists: the store has opened it.
  ssh::HostKey key = ssh::keepHostKey(config.dataDir);
  options_.hostKey = std::move(key.privateKey);
  public_key_ = std::move(key.publicKey);
}

SshService::~SshService() { stop(); }

SshListenerResponse SshService::description() const {
  return {.enabled = true, .host = host_, .port = options_.address.port, .hostKey = public_key_};
}

void SshService::start(SwarmController& controller, Auth& auth, Audit& audit, std::shared_ptr<OpenBudget> budget, const Clock& clock) {
  workspaces_.emplace(ssh::Workspaces::Parts{.routes = controller.routes(),
                                             .auth = auth,
                                             .audit = &audit,
                                             .findAgent = [&controller](std::string id) { return controller.agentTarget(std::move(id)); },
                                             .budget = std::move(budget)});
  runOn(loop_, [&] {
    listener_ = std::make_unique<ssh::SshListener>(loop_.executor(), options_, *workspaces_, auth, clock);
    listener_->start();
  });
  options_.address.port = listener_->port();
  log::info("SSH listener started", {{"listen", net::toString(options_.address)}, {"key", public_key_}});
}

void SshService::stop() {
  if (!listener_) return;
  boost::asio::co_spawn(loop_.executor(), listener_->close(), boost::asio::use_future).get();
  runOn(loop_, [&] { listener_.reset(); });
}

}  // namespace swarm
