// Children: the only place that waits for processes. Reaps the agent's own children and, as process 1, all orphans.
#pragma once

#include <sys/types.h>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>

#include "agent/process/process.h"
#include "async/loop.h"

namespace swarm::agent {

using async::awaitable;
using async::Executor;
namespace asio = boost::asio;

/// A process started by the agent. Shared; on the owning loop.
class Child {
 public:
  Child(Executor executor, pid_t pid) : pid_(pid), exited_timer_(executor, asio::steady_timer::time_point::max()) {}

  pid_t pid() const { return pid_; }
  bool exited() const { return exited_; }
  int exitCode() const { return exit_code_; }  ///< 0 … 255, or 128 + the signal that ended it
  bool wasKilled() const { return signal_ != 0; }
  int signal() const { return signal_; }

  awaitable<void> wait();              ///< until it has ended; any number of waiters
  void signalGroup(int number) const;  ///< to its whole process group, even after its own end; no-op if the group is empty

 private:
  friend class Children;
  void setExited(int status);
  pid_t pid_;
  bool exited_ = false;
  int exit_code_ = 0;
  int signal_ = 0;
  asio::steady_timer exited_timer_;
};

/// On one loop. run() must be spawned, or nothing is reaped.
class Children {
 public:
  explicit Children(Executor executor);

  awaitable<void> run();  ///< reaps until stop()
  void stop();
  std::expected<std::shared_ptr<Child>, SpawnFailure> spawn(const SpawnRequest& request);
  std::size_t running() const { return children_.size(); }
  std::size_t orphansReaped() const { return orphans_; }
  void reap();  ///< all processes that have ended so far

 private:
  Executor executor_;
  asio::signal_set signals_;
  std::map<pid_t, std::shared_ptr<Child>> children_;
  std::size_t orphans_ = 0;
  bool stopped_ = false;  // a pending signal can hide the cancellation of its wait
};

}  // namespace swarm::agent
