// The SSH listener of the server, on a loop of its own: what its connections do does not delay other work.
#pragma once

#include <memory>
#include <optional>

#include "api/api.h"
#include "async/loop.h"
#include "config.h"
#include "controller/controller.h"
#include "ssh/listener.h"

namespace swarm {

class SshService {
 public:
  /// Throws Error: the program swarm-ssh is missing, the address is in use, or the host key cannot be kept.
  explicit SshService(const ServerConfig& config);
  ~SshService();
  SshService(const SshService&) = delete;
  SshService& operator=(const SshService&) = delete;

  /// How clients reach it.
  SshListenerResponse description() const;
  /// The parts must outlive it.
  void start(SwarmController& controller, Auth& auth, Audit& audit, std::shared_ptr<OpenBudget> budget, const Clock& clock);
  void stop();

 private:
  ssh::ListenerOptions options_;
  std::string public_key_;
  std::string host_;
  async::Loop loop_{"swarm-ssh"};
  std::optional<ssh::Workspaces> workspaces_;
  std::unique_ptr<ssh::SshListener> listener_;
};

}  // namespace swarm
