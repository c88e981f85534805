// fork and exec.
#include "agent/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>

#include "base/files/descriptor.h"
#include "base/text/format.h"

namespace swarm::agent {
namespace {

#ifndef CLOSE_RANGE_CLOEXEC
constexpr unsigned CLOSE_RANGE_CLOEXEC = 1U << 2;
#endif
constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";
rlimit original_descriptors{0, 0};  // the original limits, before raiseDescriptorLimit(); zero: never raised

enum class Stage : int { Session, Descriptors, User, Directory, Exec };

/// The child's report when it fails before exec.
struct ChildReport {
  Stage stage;
  int error;
};

/// Everything the child needs, prepared before fork: nothing is allocated after it.
struct Prepared {
  std::vector<std::string> candidates;
  std::vector<char*> argv;
  std::vector<char*> env;
};

std::vector<std::string> candidatesFor(const SpawnRequest& request) {
  const std::string& name = request.argv.front();
  if (name.find('/') != std::string::npos) return {name};
  std::string path(kDefaultPath);
  for (const auto& line : request.env) {
    if (line.starts_with("PATH=")) path = line.substr(5);
  }
  std::vector<std::string> candidates;
  for (std::size_t begin = 0; begin <= path.size();) {
    auto end = std::min(path.find(':', begin), path.size());
    if (end > begin) candidates.push_back(path.substr(begin, end - begin) + "/" + name);
    begin = end + 1;
  }
  return candidates;
}

std::vector<char*> pointers(const std::vector<std::string>& lines) {
  std::vector<char*> result;
  for (const auto& line : lines) result.push_back(const_cast<char*>(line.c_str()));
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void fail(int report, Stage stage, int error) {
  ChildReport message{stage, error};
  ssize_t ignored = ::write(report, &message, sizeof(message));
  static_cast<void>(ignored);
  ::_exit(127);
}

void resetSignals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Raw system calls: glibc's wrappers synchronize with the other threads of the process, which a forked child does not have.
bool becomeUser(const UserRecord& user) {
  if (::geteuid() != 0) return user.uid == ::geteuid();
  return ::syscall(SYS_setgroups, user.groups.size(), user.groups.data()) == 0 &&
         ::syscall(SYS_setresgid, user.gid, user.gid, user.gid) == 0 && ::syscall(SYS_setresuid, user.uid, user.uid, user.uid) == 0;
}

[[noreturn]] void runChild(const SpawnRequest& request, Prepared& prepared, int report) {
  resetSignals();
  if (::setsid() < 0) fail(report, Stage::Session, errno);
  if (request.terminal && ::ioctl(request.stdinFd, TIOCSCTTY, 0) != 0) fail(report, Stage::Session, errno);
  const std::array<int, 3> descriptors{request.stdinFd, request.stdoutFd, request.stderrFd};
  for (int target = 0; target < 3; ++target) {
    int source = descriptors[static_cast<std::size_t>(target)];
    if (source < 0) source = ::open("/dev/null", (target == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
    if (source < 0 || ::dup2(source, target) < 0) fail(report, Stage::Descriptors, errno);
  }
  // All descriptors are opened close-on-exec; this covers those of libraries that do not.
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  if (original_descriptors.rlim_max != 0) ::setrlimit(RLIMIT_NOFILE, &original_descriptors);
  ::umask(022);
  if (!becomeUser(request.user)) fail(report, Stage::User, errno);
  if (::chdir(request.cwd.c_str()) != 0) {
    int error = errno;
    if (!request.cwdMayFail || ::chdir("/") != 0) fail(report, Stage::Directory, error);
  }
  int error = ENOENT;
  for (const auto& candidate : prepared.candidates) {
    ::execve(candidate.c_str(), prepared.argv.data(), prepared.env.data());
    // As shells do: a file without execute permission gives a better error than a missing one.
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
  }
  fail(report, Stage::Exec, error);
}

SpawnFailure describe(const SpawnRequest& request, ChildReport report) {
  const char* why = ::strerror(report.error);
  switch (report.stage) {
    case Stage::Exec:
      if (report.error == ENOENT) return {127, format("Command not found: \"{}\".", request.argv.front())};
      return {126, format("Cannot run the command \"{}\": {}.", request.argv.front(), why)};
    case Stage::Directory:
      return {126, format("Cannot change to the directory {}: {}.", request.cwd, why)};
    case Stage::User:
      return {126, format("Cannot switch to the user {}: {}.", request.user.name, why)};
    case Stage::Session:
    case Stage::Descriptors:
      break;
  }
  return {126, format("Cannot set up the process: {}.", why)};
}

}  // namespace

std::expected<pid_t, SpawnFailure> spawnProcess(const SpawnRequest& request) {
  if (request.argv.empty() || request.argv.front().empty()) return std::unexpected(SpawnFailure{127, "The command is empty."});
  Prepared prepared{candidatesFor(request), pointers(request.argv), pointers(request.env)};
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::unexpected(SpawnFailure{126, format("Cannot start the process: {}.", ::strerror(errno))});
  }
  Descriptor read_end(ends[0]), write_end(ends[1]);
  pid_t pid = ::fork();
  if (pid < 0 && errno == EAGAIN) {
    return std::unexpected(SpawnFailure{126,
                                        "Cannot start the process: the workspace's limit of processes and threads is reached. End some "
                                        "processes, or raise the limit (pids)."});
  }
  if (pid < 0) return std::unexpected(SpawnFailure{126, format("Cannot start the process: {}.", ::strerror(errno))});
  if (pid == 0) runChild(request, prepared, write_end.get());
  write_end.reset();
  ChildReport report{};
  ssize_t got = 0;
  do {
    got = ::read(read_end.get(), &report, sizeof(report));
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof(report))) return pid;  // closed by exec: the process runs
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return std::unexpected(describe(request, report));
}

void raiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  original_descriptors = limit;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) original_descriptors = {0, 0};
}

}  // namespace swarm::agent
