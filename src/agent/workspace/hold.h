// Hold: whether the user's processes may run here. They may not while a workspace moves, so that its files do not change.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "agent/server/service.h"
#include "async/notifier.h"

namespace swarm::agent {

class Guest;

/// The dependencies of Hold; all outlive it.
struct HoldParts {
  Executor executor;
  Service& vscode;
  std::function<void()> start;                          ///< starts VS Code and the processes beside it
  std::function<awaitable<void>(Deadline)> stopOthers;  ///< stops the processes beside VS Code, except users' own
  std::function<awaitable<void>()> leave{};             ///< awaited before a hold for a transfer ends; empty: nothing
  std::chrono::milliseconds patience{1'500};            ///< for all processes except VS Code: from the first signal to SIGKILL
  std::chrono::milliseconds vscodePatience{3'000};
  std::chrono::milliseconds quiet{150};  ///< between a client's last message and SIGTERM: a file that is being saved receives its content
};

/// On one loop. Transitions run to completion: neither a cancelled caller nor a contrary request leaves one half done. The last request
/// wins.
class Hold {
 public:
  explicit Hold(HoldParts parts);

  /// To be called once, first: starts VS Code and the command, or starts held for `transfer`.
  void begin(const std::string& transfer);
  /// Returns once no process except the agent is left. Throws Error(Conflict) when a newer request superseded it, Error(Unavailable) when a
  /// process could not be ended; everything is started again then.
  awaitable<void> hold(std::string transfer, std::string reason);
  /// Returns once VS Code and the command were started. Throws Error(Conflict) as above.
  awaitable<void> release();
  /// For the agent's shutdown: nothing is started any more.
  void end();

  bool closed() const { return phase_ != Phase::Running || !requested_.empty(); }  ///< held or about to be: nothing may be started
  const std::string& transfer() const { return held_; }    ///< the transfer it is held for; empty when not held (yet)
  const std::string& reason() const { return reason_; }    ///< why it is closed, as a sentence
  awaitable<void> waitUntilHeld(Deadline deadline) const;  ///< or until the deadline

 private:
  friend class Guest;
  enum class Phase { Running, Holding, Held };

  void requestTransfer(std::string transfer);
  awaitable<void> settled(std::uint64_t request);
  bool isSettled() const;
  awaitable<void> work();
  awaitable<void> step();
  awaitable<void> becomeHeld();
  awaitable<void> stopServices();
  void giveUp(std::string why);

  HoldParts parts_;
  Phase phase_ = Phase::Running;
  std::string requested_;       // the transfer to be held for; empty: to run
  std::uint64_t requests_ = 1;  // number of the last one
  std::uint64_t failed_ = 0;    // number of the last one that failed (0: none), and why
  std::string failure_;
  std::string held_;
  std::string reason_;
  bool working_ = false;
  bool ending_ = false;
  mutable async::Notifier changed_;
  std::set<Guest*> guests_;
};

/// One command or tunnel of a client; its lifetime is the request's.
class Guest {
 public:
  explicit Guest(Hold& hold);
  ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  bool notified() const { return notified_; }
  const std::string& reason() const { return hold_.reason(); }
  /// Called when the instance starts to become held: commands end, and data from clients of tunnels is dropped. Called at once if it has
  /// already started.
  void whenNotified(std::function<void()> quiet);
  /// Called when VS Code has ended: its remaining output was sent.
  void whenDismissed(std::function<void()> leave);

 private:
  friend class Hold;
  void notify();
  void dismiss();
  Hold& hold_;
  bool notified_;
  bool dismissed_ = false;
  std::function<void()> quiet_;
  std::function<void()> leave_;
};

}  // namespace swarm::agent
