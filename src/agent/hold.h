// Hold: whether the user's processes may run here. While a workspace moves they may not, so that its files stand still.
#pragma once

#include <exception>
#include <functional>
#include <set>
#include <string>

#include "agent/service.h"
#include "net/notifier.h"

namespace swarm::agent {

class Guest;

/// What a Hold works on; all outlive it.
struct HoldParts {
  Executor executor;
  Service& vscode;
  std::function<void()> start;                          ///< starts VS Code and what runs beside it
  std::function<awaitable<void>(Deadline)> stopOthers;  ///< stops what runs beside VS Code, other than by people
  std::function<awaitable<void>()> leave{};             ///< awaited before it is no more held for a transfer; empty: nothing
  std::chrono::milliseconds patience{1'500};            ///< for everything else than VS Code, from being asked to being killed
  std::chrono::milliseconds vscodePatience{3'000};
  std::chrono::milliseconds quiet{150};  ///< between a client's last word and SIGTERM: a file that is being saved gets its content
};

/// On one loop. The transitions run by themselves: neither a caller that goes away nor one that asks for the opposite meanwhile leaves one
/// half done. The last wish wins.
class Hold {
 public:
  explicit Hold(HoldParts parts);

  /// Once, before anything else: starts VS Code and the command, or is held for `transfer` from the beginning.
  void begin(const std::string& transfer);
  /// Returns once no process but the agent is left. Throws Error(Conflict) when somebody wished for something else meanwhile,
  /// Error(Unavailable) when a process could not be ended; everything is started again then.
  awaitable<void> hold(std::string transfer, std::string reason);
  /// Returns once VS Code and the command were started. Throws Error(Conflict) as above.
  awaitable<void> release();
  /// The agent ends: nothing is started any more.
  void end();

  bool closed() const { return phase_ != Phase::Running || !wish_.empty(); }  ///< held or about to be: nobody may start anything
  const std::string& transfer() const { return held_; }                       ///< for which it is held; empty when it is not (yet)
  const std::string& reason() const { return reason_; }                       ///< why it is closed, as a sentence
  awaitable<void> waitUntilHeld(Deadline deadline) const;                     ///< or until the deadline

 private:
  friend class Guest;
  enum class Phase { Running, Holding, Held };

  void wishFor(std::string transfer);
  awaitable<void> settled(std::uint64_t wish);
  bool isSettled() const;
  awaitable<void> work();
  awaitable<void> step();
  awaitable<void> becomeHeld();
  awaitable<void> stopServices();
  void giveUp(std::string why);

  HoldParts parts_;
  Phase phase_ = Phase::Running;
  std::string wish_;          // the transfer to be held for; empty: to run
  std::uint64_t wishes_ = 1;  // number of the last one
  std::uint64_t failed_ = 0;  // number of the last one that failed (0: none), and why
  std::string failure_;
  std::string held_;
  std::string reason_;
  bool working_ = false;
  bool ending_ = false;
  mutable net::Notifier changed_;
  std::set<Guest*> guests_;
};

/// One command or tunnel of a client's, for as long as it lives.
class Guest {
 public:
  explicit Guest(Hold& hold);
  ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  bool told() const { return told_; }
  const std::string& reason() const { return hold_.reason(); }
  /// Called when the instance begins to become held: commands end, clients of tunnels are not heard any more. At once when it has begun.
  void whenTold(std::function<void()> quiet);
  /// Called when VS Code has ended: what it still had to say was said.
  void whenDismissed(std::function<void()> leave);

 private:
  friend class Hold;
  void tell();
  void dismiss();
  Hold& hold_;
  bool told_;
  bool dismissed_ = false;
  std::function<void()> quiet_;
  std::function<void()> leave_;
};

}  // namespace swarm::agent
