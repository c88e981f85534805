// Freeze: stops the user's processes briefly, without ending them, so that a snapshot sees unchanging files.
#pragma once

#include <sys/types.h>

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "async/loop.h"
#include "async/notifier.h"

namespace swarm::agent {

struct FreezeParts {
  async::Executor executor;
  std::function<void(bool)> setPaused;        ///< called before the first process is stopped (true), and once all run again (false)
  std::chrono::milliseconds patience{2'000};  ///< until all must be stopped
  std::chrono::milliseconds lease{60'000};    ///< the freeze expires this long after the last freeze()
};

/// On one loop. Stops a process only after its parent is stopped: a shell must not notice that its job was stopped, or it would take the
/// terminal back. Processes that a user had stopped (Ctrl-Z) are left alone, and stay stopped.
class Freeze {
 public:
  explicit Freeze(FreezeParts parts) : parts_(std::move(parts)), lease_(parts_.executor) {}

  /// Returns once every process except the agent is stopped, with the number of processes stopped by it. Calling it again renews the lease.
  /// Throws Error(Conflict) when it is frozen for another transfer, or was superseded by a thaw; Error(Unavailable) with the names of
  /// processes that did not stop in time (all are resumed then). Continues when the caller is cancelled; otherwise, what it started has
  /// ended when it returns or throws.
  async::awaitable<std::size_t> freeze(std::string transfer);
  /// Resumes all processes stopped by freeze(). No-op when not frozen.
  void thaw();
  /// For the agent's shutdown: thaws, and refuses further freezes.
  void end();

  bool closed() const { return phase_ != Phase::Running; }  ///< frozen or about to be: nothing may be started or signalled
  const std::string& transfer() const { return transfer_; }
  /// When all processes resume unless freeze() is called again. Only while frozen.
  std::chrono::steady_clock::time_point leaseEnd() const { return lease_.expiry(); }
  /// False when it is still closed at the deadline.
  async::awaitable<bool> waitUntilThawed(Deadline deadline) const;

 private:
  enum class Phase { Running, Freezing, Frozen };
  struct Stopped {
    pid_t pid = 0;
    std::uint64_t started = 0;
  };

  async::awaitable<void> work(std::uint64_t attempt);
  bool stopThoseWhoRun();
  void remember(pid_t pid, std::uint64_t started);
  void beginLease();

  FreezeParts parts_;
  Phase phase_ = Phase::Running;
  std::string transfer_;
  std::uint64_t attempt_ = 0;
  std::set<std::uint64_t> working_;  // the attempts whose work() has not ended
  std::uint64_t failed_ = 0;         // the last attempt that failed, and why
  std::string failure_;
  bool ended_ = false;
  std::vector<Stopped> stopped_;  // in the order of stopping
  boost::asio::steady_timer lease_;
  mutable async::Notifier changed_;
};

}  // namespace swarm::agent
