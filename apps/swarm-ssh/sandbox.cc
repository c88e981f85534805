#include "sandbox.h"

#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <span>

namespace swarm::ssh {
namespace {

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kHasSanitizer = true;
#else
constexpr bool kHasSanitizer = false;
#endif

constexpr rlim_t kMaxMemory = 128 * 1024 * 1024;
constexpr rlim_t kMaxFiles = 64;

/// Of these, none takes a path, an address or a process. fcntl() and ioctl() are left out: with them, a socket can send signals.
constexpr int kOnSockets[] = {SCMP_SYS(recvfrom),   SCMP_SYS(recvmsg),  SCMP_SYS(sendto), SCMP_SYS(sendmsg),
                              SCMP_SYS(read),       SCMP_SYS(write),    SCMP_SYS(poll),   SCMP_SYS(ppoll),
                              SCMP_SYS(getsockopt), SCMP_SYS(shutdown), SCMP_SYS(close)};
constexpr int kOnMemory[] = {SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise)};
/// Time, random numbers, locks of libraries, and OpenSSL's check for a fork.
constexpr int kOfLibraries[] = {SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
                                SCMP_SYS(getrandom),     SCMP_SYS(futex),        SCMP_SYS(getpid)};
/// And the return from a stop.
constexpr int kEnd[] = {SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall)};

void limit(int resource, rlim_t most) {
  const rlimit value{most, most};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &value);
}

}  // namespace

void limitResources() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_DUMPABLE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, kMaxFiles);
  limit(RLIMIT_FSIZE, 0);
  if (kHasSanitizer) return;
  limit(RLIMIT_NPROC, 0);
  limit(RLIMIT_DATA, kMaxMemory);
}

bool confineSystemCalls() {
  if (kHasSanitizer) return true;
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(seccomp_init(SCMP_ACT_KILL_PROCESS), &seccomp_release);
  if (!filter) return false;
  const auto allow = [&](std::span<const int> calls) {
    const auto add = [&](int call) { return seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0) == 0; };
    return std::ranges::all_of(calls, [&](int call) { return call < 0 || add(call); });  // < 0: not of this processor
  };
  const scmp_arg_cmp is_data{.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0};
  const auto allow_data = [&](int call) { return seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, 1, &is_data) == 0; };
  return allow(kOnSockets) && allow(kOnMemory) && allow(kOfLibraries) && allow(kEnd) && allow_data(SCMP_SYS(mmap)) &&
         allow_data(SCMP_SYS(mprotect)) && seccomp_load(filter.get()) == 0;
}

}  // namespace swarm::ssh
