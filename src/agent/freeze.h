// Freeze: the user's processes are stopped for a moment, not ended, so that a snapshot sees files that stand still.
#pragma once

#include <sys/types.h>

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "net/loop.h"
#include "net/notifier.h"

namespace swarm::agent {

struct FreezeParts {
  net::Executor executor;
  std::function<void(bool)> pause;            ///< told before the first process is stopped (true), and once all run again (false)
  std::chrono::milliseconds patience{2'000};  ///< until all must stand still
  std::chrono::milliseconds lease{60'000};    ///< it ends by itself this long after the last freeze()
};

/// On one loop. Stops a process only after its parent stands still: a shell must not see that its job was stopped, or it would take the
/// terminal back. Whom a person had stopped (Ctrl-Z) is not ours, and stays stopped.
class Freeze {
 public:
  explicit Freeze(FreezeParts parts) : parts_(std::move(parts)), lease_(parts_.executor) {}

  /// Returns once every process but the agent stands still; how many we stopped. Again: the lease begins anew. Throws Error(Conflict) when
  /// it is frozen for another transfer, or was thawed meanwhile; Error(Unavailable) with the names of those that did not stop in time
  /// (all go on then). It goes on by itself when the caller goes away.
  net::awaitable<std::size_t> freeze(std::string transfer);
  /// Everybody whom we stopped goes on. Nothing when it is not frozen.
  void thaw();
  /// The agent ends: thaws, and nothing is frozen any more.
  void end();

  bool closed() const { return phase_ != Phase::Running; }  ///< frozen or about to be: nothing may be started or signalled
  const std::string& transfer() const { return transfer_; }
  /// When all go on without another freeze(). Only while frozen.
  std::chrono::steady_clock::time_point leaseEnd() const { return lease_.expiry(); }
  /// False when it is still closed at the deadline.
  net::awaitable<bool> waitUntilThawed(Deadline deadline) const;

 private:
  enum class Phase { Running, Freezing, Frozen };
  struct Stopped {
    pid_t pid = 0;
    std::uint64_t started = 0;
  };

  net::awaitable<void> work(std::uint64_t attempt);
  bool stopThoseWhoRun();
  void remember(pid_t pid, std::uint64_t started);
  void beginLease();

  FreezeParts parts_;
  Phase phase_ = Phase::Running;
  std::string transfer_;
  std::uint64_t attempt_ = 0;
  std::uint64_t failed_ = 0;  // the last attempt that failed, and why
  std::string failure_;
  bool ended_ = false;
  std::vector<Stopped> stopped_;  // in the order in which they were
  boost::asio::steady_timer lease_;
  mutable net::Notifier changed_;
};

}  // namespace swarm::agent
