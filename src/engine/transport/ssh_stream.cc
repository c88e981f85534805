#include "engine/transport/ssh_stream.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "async/io_wait.h"
#include "async/lock/semaphore.h"
#include "async/notifier.h"
#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/text/format.h"
#include "engine/transport/ssh_command.h"
#include "net/stream/fd_stream.h"
#include "net/stream/forwarding_stream.h"

namespace swarm::engine {
namespace {

namespace asio = boost::asio;
using async::awaitable;

constexpr std::size_t kMaxErrors = 4096;           // bytes of stderr that are kept; the rest is read and dropped
constexpr std::size_t kMaxHead = 8192;             // of the response to the first request
constexpr std::size_t kAtOnce = 4;                 // sshd refuses some of more than 10 that are not signed in yet (MaxStartups)
constexpr std::chrono::seconds kConnectTime{30};   // with all that ssh does before the Engine responds
constexpr std::chrono::seconds kTimeForErrors{1};  // between the end of the output and that of stderr
constexpr std::string_view kFirstRequest = "HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n";

/// What ssh needs of the server's environment, which has secrets. Messages are matched, so they are in English.
std::vector<std::string> sshEnvironment() {
  std::vector<std::string> environment{"LC_ALL=C"};
  for (const char* name : {"PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "KRB5CCNAME", "TMPDIR"})
    if (const char* value = std::getenv(name)) environment.push_back(format("{}={}", name, value));
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

[[noreturn]] void cannotStart(int reason) {
  if (reason == ENOENT)
    throw Error(ErrorCode::Unavailable, "the program ssh is missing on this machine. Install it (Debian: openssh-client).");
  throw Error(ErrorCode::Unavailable, format("ssh could not be started: {}.", std::strerror(reason)));
}

pid_t start(const Endpoint& endpoint, int connection, int errors) {
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, connection, 0);
  ::posix_spawn_file_actions_adddup2(&files, connection, 1);
  ::posix_spawn_file_actions_adddup2(&files, errors, 2);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none, ignored_by_us;
  sigemptyset(&none);
  sigemptyset(&ignored_by_us);
  sigaddset(&ignored_by_us, SIGPIPE);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &ignored_by_us);
  ::posix_spawnattr_setpgroup(&attributes, 0);  // it ends with what it starts (ProxyCommand); an interrupt at our terminal is for us
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> arguments = sshArguments(endpoint), environment = sshEnvironment();
  pid_t pid = -1;
  const int problem =
      ::posix_spawnp(&pid, arguments.front().c_str(), &files, &attributes, pointers(arguments).data(), pointers(environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (problem != 0) cannotStart(problem);
  return pid;
}

/// One process of ssh.
class SshProcess {
 public:
  SshProcess(async::Executor executor, const Endpoint& endpoint, int connection) : errors_(executor) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) cannotStart(errno);
    const Descriptor theirs(ends[1]);
    errors_.assign(ends[0]);
    errors_.non_blocking(true);
    pid_ = start(endpoint, connection, theirs.get());
  }
  ~SshProcess() { end(); }
  SshProcess(const SshProcess&) = delete;
  SshProcess& operator=(const SshProcess&) = delete;

  /// Reads stderr to its end, so that ssh never waits for us.
  static awaitable<void> readErrors(std::shared_ptr<SshProcess> process) {
    std::array<char, 4096> piece{};
    while (process->errors_.is_open() && !co_await async::waitReadable(process->errors_) && process->errors_.is_open()) {
      const ssize_t got = ::read(process->errors_.native_handle(), piece.data(), piece.size());
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (got <= 0) break;
      const auto room = kMaxErrors - process->text_.size();
      process->text_.append(piece.data(), std::min(room, static_cast<std::size_t>(got)));
    }
    process->has_all_ = true;
    process->changed_.notifyAll();
  }

  awaitable<void> awaitErrors(Deadline deadline) {
    if (!has_all_) co_await changed_.wait(changed_.version(), deadline);
  }

  /// Its exit code, when it ended before.
  std::optional<int> end() {
    boost::system::error_code ignored;
    errors_.close(ignored);
    if (pid_ < 0) return std::nullopt;
    int status = 0;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? std::optional(WEXITSTATUS(status)) : std::nullopt;
  }
  const std::string& errors() const { return text_; }

 private:
  asio::posix::stream_descriptor errors_;
  pid_t pid_ = -1;
  std::string text_;
  bool has_all_ = false;
  async::Notifier changed_;
};

class SshStream final : public net::ForwardingStream {
 public:
  SshStream(net::StreamPtr connection, std::shared_ptr<SshProcess> process)
      : ForwardingStream(std::move(connection)), process_(std::move(process)) {}
  ~SshStream() override { process_->end(); }

  void close() override {
    inner_->close();
    process_->end();
  }
  void abort() override { close(); }
  SshProcess& process() { return *process_; }

 private:
  std::shared_ptr<SshProcess> process_;
};

std::unique_ptr<SshStream> openStream(const async::Executor& executor, const Endpoint& endpoint) {
  int sockets[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) cannotStart(errno);
  const Descriptor theirs(sockets[1]);  // blocking, as programs expect of their stdin
  ::fcntl(sockets[0], F_SETFL, O_NONBLOCK);
  net::StreamPtr ours = std::make_unique<net::FdStream>(executor, sockets[0]);
  auto process = std::make_shared<SshProcess>(executor, endpoint, theirs.get());
  asio::co_spawn(executor, SshProcess::readErrors(process), asio::detached);
  return std::make_unique<SshStream>(std::move(ours), std::move(process));
}

/// ssh reports nothing when it has connected: the first response of the Engine proves the way to it. Throws what was in the way.
awaitable<void> prove(SshStream& stream, const Endpoint& endpoint, Deadline deadline) {
  stream.setDeadline(deadline.time());
  net::Stream& wire = stream;
  net::IoResult io = co_await wire.writeAll(kFirstRequest);
  std::string head;
  std::array<char, 1024> piece{};
  while (io.error != asio::error::timed_out && !head.ends_with("\r\n\r\n") && head.size() < kMaxHead) {
    io = co_await wire.readSome(asio::buffer(piece));
    head.append(piece.data(), io.bytes);
    if (io.error || !std::string_view("HTTP/1.").starts_with(head.substr(0, 7))) break;
  }
  if (head.starts_with("HTTP/1.") && head.ends_with("\r\n\r\n")) {
    stream.setDeadline(SteadyTime::max());
    co_return;
  }
  SshProcess& process = stream.process();
  if (head.empty() && io.error != asio::error::timed_out) co_await process.awaitErrors(deadline.orAfter(kTimeForErrors));
  const SshEnd end{.exitCode = process.end(), .errors = process.errors(), .output = head};
  if (io.error == asio::error::timed_out && end.errors.empty() && head.empty())
    throw Error(ErrorCode::DeadlineExceeded, "ssh did not connect in time.");
  throw sshFailure(endpoint, end);
}

awaitable<net::StreamPtr> connect(Endpoint endpoint, std::shared_ptr<async::Semaphore> connecting, Deadline deadline) {
  const auto permit = co_await connecting->acquire(deadline);
  std::unique_ptr<SshStream> stream = openStream(co_await asio::this_coro::executor, endpoint);
  co_await prove(*stream, endpoint, deadline.orAfter(kConnectTime));
  co_return stream;
}

}  // namespace

net::Connector sshConnector(const Endpoint& endpoint) {
  auto connecting = std::make_shared<async::Semaphore>(kAtOnce, "Timed out waiting for other connections by ssh to be opened.");
  return [endpoint, connecting](Deadline deadline) { return connect(endpoint, connecting, deadline); };
}

}  // namespace swarm::engine
