// An sshd that is not root admits its own user only, needs neither PAM nor /run/sshd, and separates what a client can reach before its
// sign-in into a sandboxed process.
#include "agent/ssh/ssh_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/exec/exec.h"
#include "agent/process/log_pipe.h"
#include "async/attempt.h"
#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "net/stream/fd_stream.h"

namespace swarm::agent {
namespace {
namespace fs = std::filesystem;

constexpr std::chrono::seconds kScriptPatience{20};
constexpr int kMissing = 64;  // exit code of the scripts
constexpr std::string_view kMissingReason =
    "The image of this workspace has no SSH server. Add the package openssh-server (Debian, Ubuntu, Fedora) or openssh (Alpine, Arch) to "
    "the image. `swarm exec` and `swarm forward` work without it.";

// A key is complete before it gets its name. Scripts run one at a time: none removes the key that another one has made.
constexpr std::string_view kMakeHostKey = R"sh(
set -eu
umask 077
PATH=$PATH:/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/sbin:/bin
command -v ssh-keygen >/dev/null || exit 64
sshd=$(command -v sshd) || exit 64
folder=${SWARM_HOST_KEY%/*}
if [ ! -s "$SWARM_HOST_KEY" ]; then
  mkdir -p "$folder"
  rm -f "$SWARM_HOST_KEY"
  new=$(mktemp -d "$folder/new.XXXXXX")
  ssh-keygen -q -t ed25519 -N '' -C '' -f "$new/key" </dev/null
  sync "$new/key" 2>/dev/null || :
  ln "$new/key" "$SWARM_HOST_KEY" 2>/dev/null || mv -n "$new/key" "$SWARM_HOST_KEY"
  rm -rf "$new"
fi
chmod 0700 "$folder"
chmod 0600 "$SWARM_HOST_KEY"
)sh";
// A damaged host key leaves no folder behind, which would contain the environment.
constexpr std::string_view kWriteFiles = R"sh(
ssh-keygen -y -P '' -f "$SWARM_HOST_KEY" </dev/null
mkdir -p "$SWARM_FOLDER"
printf '%s\n' "$SWARM_CLIENT_KEYS" >"$SWARM_FOLDER/authorized_keys"
cat >"$SWARM_FOLDER/sshd_config"
printf '%s\n' "$sshd"
)sh";
constexpr std::string_view kRun = R"sh("$1" -i -e -f "$2/sshd_config"; rm -rf "$2")sh";

std::string inQuotes(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// The first line of `text`, which is removed.
std::string takeLine(std::string& text) {
  const auto end = std::min(text.find('\n'), text.size());
  std::string line = text.substr(0, end);
  text.erase(0, end + 1);
  return line;
}

awaitable<void> forwardLog(Executor executor, Descriptor source, int log) {
  std::string last;
  co_await forwardLines(executor, std::move(source), "sshd", log, &last);
}

[[noreturn]] void failStart(const std::string& why) { throw Error(ErrorCode::Unavailable, "The SSH server could not be started: " + why); }

}  // namespace

std::string sshdConfig(const std::string& user, const SshdFiles& files, const Environment& environment) {
  std::string text = format("HostKey {}\nAuthorizedKeysFile {}\nAllowUsers {}\n", inQuotes(files.hostKey.native()),
                            inQuotes(files.authorizedKeys.native()), inQuotes(user));
  // The client's key was written by the agent, whatever the modes of the folders above it.
  text += R"(StrictModes no
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
UseDNS no
PidFile none
PrintMotd no
PrintLastLog no
LogLevel ERROR
LoginGraceTime 30
MaxSessions 128
ClientAliveInterval 60
ClientAliveCountMax 10
X11Forwarding no
StreamLocalBindUnlink yes
AcceptEnv LANG LC_* COLORTERM
Subsystem sftp internal-sftp
)";
  std::string variables;
  for (const auto& [name, value] : environment) {
    if (name == "TERM") continue;  // the client's terminal has its own
    if ((name + value).find_first_of("\r\n") == std::string::npos) variables += ' ' + inQuotes(name + '=' + value);
  }
  // Only the first SetEnv counts.
  if (!variables.empty()) text += "SetEnv" + variables + '\n';
  return text;
}

UserRecord SshServer::requireUser() const {
  auto user = exec_.users.find(options_.user);
  if (user) return std::move(*user);
  throw Error(ErrorCode::Unprocessable, format("The user {}, as whom SSH signs in, does not exist in this workspace.", options_.user));
}

fs::path SshServer::hostKeyOf(const UserRecord& user) const {
  return fs::path(user.home) / kHostKeyFolder / (options_.instanceId + "_ed25519");
}

awaitable<std::string> SshServer::runScript(std::string script, Environment variables, std::string input) {
  ExecSpec spec;
  spec.command = {"/bin/sh", "-c", std::move(script)};
  spec.env = std::move(variables);
  spec.user = options_.user;
  spec.stdinText = std::move(input);
  spec.timeout = kScriptPatience;
  co_await scripts_.lock();
  auto unlock = [](async::Mutex* scripts) { scripts->unlock(); };
  const std::unique_ptr<async::Mutex, decltype(unlock)> turn(&scripts_);
  BufferedResult run = co_await runBuffered(exec_, std::move(spec));
  if (run.timedOut) throw Error(ErrorCode::Unavailable, "The SSH server could not be prepared in time.");
  if (run.result.exitCode == kMissing) throw Error(ErrorCode::Unprocessable, std::string(kMissingReason));
  if (run.result.exitCode == 0) co_return std::move(run.result.stdoutText);
  std::string why = printable(run.result.stderrText);
  throw Error(ErrorCode::Unprocessable,
              format("The SSH server could not be prepared: {}", why.empty() ? format("exit code {}.", run.result.exitCode) : why));
}

awaitable<void> SshServer::prepare(Hold& hold) {
  Guest guest(hold);
  if (guest.notified() || !refusal_.empty()) co_return;
  try {
    co_await runScript(std::string(kMakeHostKey), {{"SWARM_HOST_KEY", hostKeyOf(requireUser())}}, {});
  } catch (const Error& error) {
    if (error.message() != kMissingReason) log::warning("failed to make the SSH host key", {{"reason", error.message()}});
  }
}

awaitable<SshServer::Connection> SshServer::open(std::string client_keys, Guest& guest) {
  // Neither a held nor a frozen instance gets a process.
  auto require_open = [&guest] {
    if (guest.notified()) throw Error(ErrorCode::Unavailable, guest.reason());
  };
  if (!refusal_.empty()) throw Error(ErrorCode::Unavailable, refusal_);
  require_open();
  const UserRecord user = requireUser();
  const fs::path folder = options_.runtime / toHex(randomBytes(8));
  const fs::path host_key = hostKeyOf(user);
  std::string config = sshdConfig(user.name, {host_key, folder / "authorized_keys"}, loginEnvironment(exec_.base, user));
  Environment variables{{"SWARM_HOST_KEY", host_key}, {"SWARM_FOLDER", folder}, {"SWARM_CLIENT_KEYS", std::move(client_keys)}};
  auto printed =
      co_await async::attempt(runScript(std::string(kMakeHostKey) + std::string(kWriteFiles), std::move(variables), std::move(config)));
  co_await exec_.whenThawed();
  require_open();  // says more than the script that a hold has ended
  if (!printed) throw printed.error();
  const auto public_key = readSshPublicKey(takeLine(*printed));
  if (!public_key)
    throw Error(ErrorCode::Unprocessable, format("The SSH host key {} is damaged. Remove it: another one is made.", host_key.native()));
  co_return Connection{start(user, takeLine(*printed), folder), *public_key};
}

net::StreamPtr SshServer::start(const UserRecord& user, const std::string& program, const fs::path& folder) {
  int sockets[2] = {-1, -1}, pipe[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) failStart(format("{}.", ::strerror(errno)));
  Descriptor ours(sockets[0]), theirs(sockets[1]);
  if (::pipe2(pipe, O_CLOEXEC) != 0) failStart(format("{}.", ::strerror(errno)));
  Descriptor log(pipe[0]), output(pipe[1]);
  SpawnRequest request;
  request.argv = {"/bin/sh", "-c", std::string(kRun), "sh", program, folder.native()};
  request.env = toLines(loginEnvironment(exec_.base, user));
  request.cwd = user.home;
  request.cwdMayFail = true;
  request.user = user;
  request.stdinFd = request.stdoutFd = theirs.get();
  request.stderrFd = output.get();
  auto child = exec_.children.spawn(request);
  if (!child) failStart(child.error().message);
  asio::co_spawn(exec_.executor, forwardLog(exec_.executor, std::move(log), options_.logFd), asio::detached);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  return std::make_unique<net::FdStream>(exec_.executor, ours.release());
}

}  // namespace swarm::agent
