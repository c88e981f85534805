// The program swarm-ssh: one SSH connection of the server's listener, which starts it, with its two sockets and the server's
// log, no environment, and little memory. It is not a sandbox (ADR 0017).
#include <fcntl.h>
#include <libssh/libssh.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "connection.h"

namespace {

constexpr rlim_t kMaxMemory = 128 * 1024 * 1024;
constexpr rlim_t kMaxFiles = 64;

void limit([[maybe_unused]] int resource, [[maybe_unused]] rlim_t most) {
  const rlimit value{most, most};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &value);
}

void confine() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_DUMPABLE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, kMaxFiles);
  limit(RLIMIT_FSIZE, 0);
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  limit(RLIMIT_DATA, kMaxMemory);
#endif
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int main() {
  using namespace swarm::ssh;
  confine();
  Message start;
  swarm::Descriptor attached;
  pollfd control{kControlFd, POLLIN, 0};
  ::poll(&control, 1, -1);
  if (receiveMessage(kControlFd, start, attached) != Received::Message || start.kind != Message::Kind::Start) return 2;
  ::fcntl(kConnectionFd, F_SETFL, ::fcntl(kConnectionFd, F_GETFL) | O_NONBLOCK);
  if (ssh_init() != SSH_OK) return 3;
  ssh_set_log_level(SSH_LOG_NOLOG);
  Connection(kConnectionFd, kControlFd, start.first + start.second).run();
  return 0;
}
