// `swarm ssh`
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "cli/ssh/ssh_files.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

/// Passes stdin to the connection on a thread of its own, until destroyed.
class SshInput {
 public:
  explicit SshInput(SshConnection& connection) : connection_(connection) {
    if (::pipe2(wake_, O_CLOEXEC) != 0) throw Error(ErrorCode::Internal, "A pipe could not be created.");
    thread_ = std::thread([this] { run(); });
  }
  ~SshInput() {
    connection_.close();  // ends a write that waits
    [[maybe_unused]] const ssize_t written = ::write(wake_[1], "x", 1);
    thread_.join();
    ::close(wake_[0]);
    ::close(wake_[1]);
  }
  SshInput(const SshInput&) = delete;
  SshInput& operator=(const SshInput&) = delete;

 private:
  void run() {
    std::string buffer(kPiece, '\0');
    for (;;) {
      pollfd files[2] = {{wake_[0], POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
      if (::poll(files, 2, -1) < 0 && errno != EINTR) return;
      if (files[0].revents != 0) return;
      if (files[1].revents == 0) continue;
      const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return connection_.closeWrite();
      if (!connection_.write(buffer.substr(0, static_cast<std::size_t>(count)))) return;
    }
  }

  static constexpr std::size_t kPiece = 128 * 1024;
  SshConnection& connection_;
  int wake_[2] = {-1, -1};
  std::thread thread_;
};

/// What ssh runs as its ProxyCommand. The host key is pinned before ssh looks for it.
void passSsh(Context& context, const std::string& host) {
  ::signal(SIGPIPE, SIG_IGN);
  const SshFiles files = sshFiles();
  const std::string name = workspaceOfHost(host);
  announceEntry(context, name);
  const auto connection = context.client().openSsh(name, readPublicKey(files));
  if (pinHostKey(files, sshHost(name), *connection) == Pin::Replaced)
    report(format("{} is another workspace than the one before; its host key was pinned.\n", name));
  const SshInput input(*connection);
  for (std::string piece = connection->read(); !piece.empty(); piece = connection->read()) writeAll(STDOUT_FILENO, piece);
}

/// Replaces this program. Returns only when ssh is missing.
void runSsh(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
}

class Ssh final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Name or id").suggest(workspaceNames());
    arguments.flag("--stdio", stdio_, "Pass the connection on stdin and stdout: the ProxyCommand of ssh");
    arguments.command(command_, Arguments::Dashes::Optional);
  }

  int run(Context& context) override {
    if (stdio_) {
      passSsh(context, name_);
      return kDone;
    }
    const Instance instance = requireInstance(context, workspaceOfHost(name_));
    requireStarted(instance);
    const std::string host = sshHost(instance.config.name);
    const SshFiles files = sshFiles();
    ensureKey(files);
    std::vector<std::string> words{"ssh"};
    for (const auto& [name, value] : sshOptions(files, proxyCommand(context.serverFlags())))
      words.insert(words.end(), {"-o", name + ' ' + value});
    words.push_back(host);
    words.insert(words.end(), command_.begin(), command_.end());
    runSsh(std::move(words));
    throw Error(ErrorCode::Unprocessable,
                format("The program ssh could not be started: {}. Install OpenSSH (Debian: openssh-client).", std::strerror(errno)));
  }

 private:
  std::string name_;
  std::vector<std::string> command_;
  bool stdio_ = false;
};

}  // namespace

void addSsh(const AddVerb& add) {
  add({.name = "ssh",
       .summary = "Open a shell inside with the ssh of this machine, or run a command; its exit code is passed through",
       .examples = {"swarm ssh web1", "swarm ssh web1 -- make test"},
       .notes = "With `swarm config-ssh`, plain ssh, scp, sftp, rsync and VS Code on the desktop reach workspaces as NAME.swarm."},
      std::make_unique<Ssh>());
}

}  // namespace swarm::cli
