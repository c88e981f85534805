// Service: one supervised process (code-server, or the container's command): started, monitored, restarted with back-off, stopped.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "agent/process/children.h"
#include "agent/workspace/environment.h"
#include "async/notifier.h"
#include "base/clock.h"
#include "base/files/descriptor.h"

namespace swarm::agent {

/// The delay before a process is restarted: doubles from `first` to `longest`, and resets after a run of `healthy`.
class Backoff {
 public:
  struct Limits {
    std::chrono::milliseconds first{200};
    std::chrono::milliseconds longest{10'000};
    std::chrono::milliseconds healthy{60'000};
  };
  explicit Backoff(Limits limits) : limits_(limits), next_(limits.first) {}
  std::chrono::milliseconds after(std::chrono::steady_clock::duration life);

 private:
  Limits limits_;
  std::chrono::milliseconds next_;
};

enum class Restart { Always, OnFailure, Never };  ///< OnFailure: an exit with 0 is final; Never: any exit is

struct ServiceOptions {
  std::string name;   ///< prefix of its lines in the container's log
  std::string title;  ///< in sentences: "VS Code"
  std::vector<std::string> command;
  std::string user = "coder";
  std::string cwd;               ///< empty: the user's home
  std::filesystem::path socket;  ///< probed with GET /healthz; empty: ready as soon as it runs
  Restart restart = Restart::Always;
  Backoff::Limits backoff;
  int logFd = 1;
};

enum class ServiceState { Starting, Running, Waiting, Ended, Stopped };
std::string_view toString(ServiceState state);

/// On one loop; outlives run(). Can be run again after stop().
class Service {
 public:
  Service(Executor executor, Children& children, Environment base, ServiceOptions options, UserDatabase users = UserDatabase());

  /// Runs until stop(), or until a command ends that is not restarted. It counts as running from the call on, not from the first co_await.
  awaitable<void> run();
  void refuse(std::string reason);  ///< instead of run(): it never starts, and reason() returns this reason
  /// Sends SIGTERM to its group; returns once the process (at the deadline: after SIGKILL) and run() have ended.
  awaitable<void> stop(Deadline deadline);

  /// Its process is stopped together with all others by a freeze: it is neither probed nor started until that is over.
  void setPaused(bool paused);

  ServiceState state() const { return state_; }
  bool ready() const { return ready_; }
  awaitable<void> waitUntilReady(Deadline deadline) const;       ///< or until the deadline; check ready()
  const std::string& reason() const { return reason_; }          ///< why it is not ready, as a sentence; empty when it is
  const std::string& generation() const { return generation_; }  ///< random, new for each process
  pid_t pid() const { return child_ ? child_->pid() : -1; }
  int exitCode() const { return exit_code_; }  ///< of the last process that ended

 private:
  awaitable<void> runUntilEnd();
  awaitable<void> supervise();
  std::expected<void, SpawnFailure> start();
  awaitable<void> watch();  // until the process has ended
  awaitable<void> probeUntilCancelled();
  awaitable<bool> probe();
  awaitable<void> waitWhilePaused();
  awaitable<void> pauseFor(std::chrono::milliseconds duration);
  void end(std::string reason);
  void explainEnd(std::chrono::milliseconds pause);
  /// Copies its process's output into the log.
  struct Output {
    std::string lastLine;
    bool ended = false;
    async::Notifier end;
  };
  static awaitable<void> carry(Executor executor, Descriptor source, ServiceOptions options, std::shared_ptr<Output> output);
  awaitable<void> waitForLastWords() const;

  Executor executor_;
  Children& children_;
  Environment base_;
  ServiceOptions options_;
  UserDatabase users_;
  asio::steady_timer pause_;
  std::shared_ptr<Child> child_;
  std::shared_ptr<Output> output_;
  ServiceState state_ = ServiceState::Starting;
  bool ready_ = false;
  mutable async::Notifier became_ready_;  ///< a wait does not change the observable state
  async::Notifier run_ended_;
  bool running_ = false;
  bool stopping_ = false;
  bool paused_ = false;
  std::uint64_t pauses_ = 0;
  async::Notifier unpaused_;
  int exit_code_ = 0;
  std::string reason_;
  std::string generation_;
};

}  // namespace swarm::agent
