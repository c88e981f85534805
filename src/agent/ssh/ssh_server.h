// SSH: for each connection an sshd of its own, on a socket pair instead of a port, as the user and not as root.
#pragma once

#include <filesystem>
#include <string>

#include "agent/exec/exec_process.h"
#include "agent/workspace/hold.h"
#include "async/lock/mutex.h"
#include "net/stream/stream.h"
#include "protocol/ssh.h"

namespace swarm::agent {

struct SshOptions {
  std::string instanceId;
  std::string user = std::string(kSshUser);
  std::filesystem::path runtime = "/run/swarm/ssh";  ///< folders of connections; must be in a directory of the user
  int logFd = 1;
};

/// The folder of the host keys, below the home: it moves with the files and is part of snapshots, but not of archives.
inline constexpr std::string_view kHostKeyFolder = ".config/swarm/ssh";

/// On one loop; outlives its connections. Its files are written by processes of the user, since they are in folders of the user.
class SshServer {
 public:
  SshServer(ExecContext& exec, SshOptions options) : exec_(exec), options_(std::move(options)), scripts_(exec.executor) {}
  /// From now on open() throws Error(Unavailable) with this reason, and no host key is made.
  void refuse(std::string reason) { refusal_ = std::move(reason); }

  struct Connection {
    net::StreamPtr stream;  ///< to sshd, which ends when it is closed
    std::string hostKey;    ///< "ssh-ed25519 …"
  };
  /// Starts an sshd that admits `client_keys` alone: lines of authorized_keys. Throws Error(Unprocessable) when the image lacks sshd, or
  /// the host key is unusable; Error(Unavailable) when the instance becomes held.
  awaitable<Connection> open(std::string client_keys, Guest& guest);

  /// Makes the host key where it is missing, so that every snapshot contains it. Logs failures.
  awaitable<void> prepare(Hold& hold);

 private:
  UserRecord requireUser() const;
  std::filesystem::path hostKeyOf(const UserRecord& user) const;
  awaitable<std::string> runScript(std::string script, Environment variables, std::string input);
  net::StreamPtr start(const UserRecord& user, const std::string& program, const std::filesystem::path& folder);

  ExecContext& exec_;
  SshOptions options_;
  async::Mutex scripts_;
  std::string refusal_;
};

struct SshdFiles {
  std::filesystem::path hostKey;
  std::filesystem::path authorizedKeys;
};
/// The configuration of an sshd that gives sessions `environment`. Variables with line breaks are left out: a line cannot contain them.
std::string sshdConfig(const std::string& user, const SshdFiles& files, const Environment& environment);

}  // namespace swarm::agent
