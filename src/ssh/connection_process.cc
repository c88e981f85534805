#include "ssh/connection_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "async/io_wait.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"

namespace swarm::ssh {
namespace {

constexpr int kAboveOurs = 16;  // a descriptor from here on is not one that the program is started with

[[noreturn]] void fail(int reason) {
  throw Error(ErrorCode::Unavailable, format("The process of an SSH connection could not be started: {}.", std::strerror(reason)));
}

Descriptor above(int fd) {
  Descriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, kAboveOurs));
  if (!copy.valid()) fail(errno);
  return copy;
}

pid_t start(const std::filesystem::path& program, int connection, int control) {
  const Descriptor first = above(connection), second = above(control);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
  ::posix_spawn_file_actions_adddup2(&files, 0, 1);
  ::posix_spawn_file_actions_adddup2(&files, 0, 2);  // the server's log is not for what a client may have taken over
  ::posix_spawn_file_actions_adddup2(&files, first.get(), kConnectionFd);
  ::posix_spawn_file_actions_adddup2(&files, second.get(), kControlFd);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setpgroup(&attributes, 0);  // an interrupt at the server's terminal is for the server
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  std::string name = program.native();
  char* arguments[] = {name.data(), nullptr};
  char* environment[] = {nullptr};
  pid_t pid = -1;
  const int problem = ::posix_spawn(&pid, program.c_str(), &files, &attributes, arguments, environment);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (problem != 0) fail(problem);
  return pid;
}

/// What ended it, other than its return and our signal; empty: nothing.
std::string faultOf(int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) return "a system call that it may not make";
  if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) return format("signal {}", WTERMSIG(status));
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) return format("exit code {}", WEXITSTATUS(status));
  return {};
}

}  // namespace

ConnectionProcess::ConnectionProcess(async::Executor executor, const std::filesystem::path& program, int connection, const Secret& host_key)
    : control_(executor) {
  int sockets[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets) != 0) fail(errno);
  control_.assign(sockets[0]);
  const Descriptor theirs(sockets[1]);
  pid_ = start(program, connection, theirs.get());
  sendMessage(control_.native_handle(), {.kind = Message::Kind::Start, .first = host_key.reveal()});  // the first one always fits
}

ConnectionProcess::~ConnectionProcess() { end(); }

void ConnectionProcess::end() {
  boost::system::error_code ignored;
  control_.close(ignored);
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (const std::string fault = faultOf(status); !fault.empty())
    log::warning("the process of an SSH connection ended", {{"reason", fault}});
}

async::awaitable<void> ConnectionProcess::send(Message message, int attached) {
  while (control_.is_open()) {
    const Sent sent = sendMessage(control_.native_handle(), message, attached);
    if (sent == Sent::Gone) end();
    if (sent != Sent::Full || co_await async::waitWritable(control_)) co_return;
  }
}

async::awaitable<bool> ConnectionProcess::receive(Message& message) {
  Descriptor unwanted;
  // The wait comes first, also for a message that is there: a process that sends without end must not keep the loop from others.
  while (control_.is_open() && !co_await async::waitReadable(control_) && control_.is_open()) {
    const Received received = receiveMessage(control_.native_handle(), message, unwanted);
    if (received != Received::Nothing) co_return received == Received::Message;
  }
  co_return false;
}

}  // namespace swarm::ssh
