// fly-guest-tool: one static file that the docker backend copies into containers. As process 1 of a Machine it stands in for Fly's init: it
// starts the main process, forwards signals, reaps orphans, and ends with the main process. In a helper container it copies and measures.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string_view>

#include "base/files/tree_copy.h"

namespace {

constexpr int kUsage = 2;

[[noreturn]] void becomeMain(char** argv, const sigset_t& mask) {
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::execvp(argv[0], argv);
  int error = errno;
  std::fprintf(stderr, "init: cannot start %s: %s\n", argv[0], ::strerror(error));
  ::_exit(error == ENOENT ? 127 : 126);
}

int exitCode(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

int runInit(char** argv) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  pid_t main_process = ::fork();
  if (main_process < 0) {
    std::fprintf(stderr, "init: cannot create a process: %s\n", ::strerror(errno));
    return 126;
  }
  if (main_process == 0) becomeMain(argv, before);
  for (;;) {
    siginfo_t info{};
    int number = ::sigwaitinfo(&all, &info);
    if (number < 0) continue;
    if (number != SIGCHLD) {
      ::kill(main_process, number);
      continue;
    }
    int status = 0;
    for (pid_t ended = ::waitpid(-1, &status, WNOHANG); ended > 0; ended = ::waitpid(-1, &status, WNOHANG)) {
      if (ended == main_process) return exitCode(status);
    }
  }
}

int runCopy(const char* from, const char* to) {
  try {
    swarm::copyTree(from, to);
    int target = ::open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (target < 0 || ::syncfs(target) != 0) {
      std::fprintf(stderr, "%s: %s\n", to, ::strerror(errno));
      return 1;
    }
    return 0;
  } catch (const std::filesystem::filesystem_error& error) {
    std::fprintf(stderr, "%s: %s\n", error.path1().c_str(), error.code().message().c_str());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "init" && argc > 2) return runInit(argv + 2);
  if (verb == "copy" && argc == 4) return runCopy(argv[2], argv[3]);
  if (verb == "usage" && argc == 3) {
    std::printf("%llu\n", static_cast<unsigned long long>(swarm::occupiedBytes(argv[2])));
    return 0;
  }
  std::fputs("usage: fly-guest-tool init COMMAND... | copy FROM TO | usage PATH\n", stderr);
  return kUsage;
}
