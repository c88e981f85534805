// Signals, counts and ends all other processes.
#include "agent/process/all_processes.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <optional>
#include <vector>

#include "agent/process/process_state.h"
#include "async/deadline.h"
#include "base/text/format.h"

namespace swarm::agent {
namespace {
using std::chrono::milliseconds;
constexpr milliseconds kStep{5};
constexpr std::size_t kMaxNames = 5;

bool isFirstProcess() { return ::getpid() == 1; }

/// The fields of /proc/N/status that are used here.
struct ProcessFacts {
  std::string name;
  bool ended = false;  // a zombie
  bool ignoresTerm = false;
  bool ignoresHangUp = false;
};

std::optional<ProcessFacts> factsOf(pid_t pid) {
  std::ifstream file(format("/proc/{}/status", pid));
  ProcessFacts facts;
  bool found = false;
  for (std::string line; std::getline(file, line);) {
    auto valueOf = [&](std::string_view name) { return line.starts_with(name) ? line.substr(name.size() + 1) : std::string(); };
    if (auto name = valueOf("Name:"); !name.empty()) facts.name = name;
    if (auto state = valueOf("State:"); !state.empty()) facts.ended = state.front() == 'Z' || state.front() == 'X';
    if (auto ignored = valueOf("SigIgn:"); !ignored.empty()) {
      std::uint64_t mask = 0;
      std::from_chars(ignored.data(), ignored.data() + ignored.size(), mask, 16);
      facts.ignoresTerm = (mask & (1ULL << (SIGTERM - 1))) != 0;
      facts.ignoresHangUp = (mask & (1ULL << (SIGHUP - 1))) != 0;
      found = true;
    }
  }
  return found ? std::optional(std::move(facts)) : std::nullopt;
}

/// Whether waiting is useful: a process may still react to a signal and end.
bool mayAnyTerminate() {
  for (pid_t process : otherProcesses()) {
    if (auto facts = factsOf(process); facts && !facts->ended && !(facts->ignoresTerm && facts->ignoresHangUp)) return true;
  }
  return false;
}

}  // namespace

std::vector<pid_t> otherProcesses() {
  if (!isFirstProcess()) return descendantsOf(::getpid());
  std::vector<pid_t> found = processesIn();
  std::erase(found, 1);
  return found;
}

void signalAll(int number) {
  if (isFirstProcess()) {
    ::kill(-1, number);
    return;
  }
  for (pid_t process : descendantsOf(::getpid())) ::kill(process, number);
}

void requestTermination() {
  for (pid_t process : otherProcesses()) {
    auto facts = factsOf(process);
    if (!facts || facts->ended) continue;
    ::kill(process, facts->ignoresTerm ? SIGHUP : SIGTERM);
    ::kill(process, SIGCONT);  // a stopped process receives other signals only after SIGCONT
  }
}

bool isAnyProcessLeft() {
  if (isFirstProcess()) return ::kill(-1, 0) == 0 || errno != ESRCH;
  // Orphans are reparented to the agent: all processes that it started are its children or their descendants.
  siginfo_t ignored{};
  return ::waitid(P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
}

std::string namesOfRemainingProcesses(bool (*counts)(pid_t)) {
  std::string names;
  std::size_t count = 0;
  for (pid_t process : otherProcesses()) {
    auto facts = factsOf(process);
    if (!facts || facts->ended || !counts(process)) continue;
    if (++count > kMaxNames) return names + " …";
    names += format("{}{} ({})", names.empty() ? "" : ", ", facts->name, process);
  }
  return names;
}

async::awaitable<bool> terminateAll(milliseconds patience, Deadline deadline) {
  if (!isAnyProcessLeft()) co_return true;
  requestTermination();
  auto end_of_patience = Deadline::after(patience);
  while (isAnyProcessLeft() && !end_of_patience.hasPassed() && mayAnyTerminate()) co_await async::sleepFor(kStep);
  // Repeat: processes started during one scan are killed by the next.
  while (isAnyProcessLeft() && !deadline.hasPassed()) {
    signalAll(SIGKILL);
    co_await async::sleepFor(kStep);
  }
  co_return !isAnyProcessLeft();
}

}  // namespace swarm::agent
