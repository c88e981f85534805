// FaultPlan: what goes wrong at the fake provider, and when: failures, and gates that hold a call at a named point.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "async/notifier.h"
#include "base/error.h"

namespace swarm::fake {

using boost::asio::awaitable;

/// Holds every call that reaches it until it is opened. One loop only: wait, reached and open run on the same thread.
class Gate {
 public:
  awaitable<void> wait();     ///< by the provider: returns once the gate is open
  awaitable<void> reached();  ///< by a test: returns once some call waits here
  void open();

 private:
  bool open_ = false;
  bool reached_ = false;
  async::Notifier changed_;
};

/// Points are "<method>" (before anything happened), "<method>/<step>" (before the step's effect) and "<method>/<step>/answer" (the effect
/// is there, the caller does not know yet). Thread-safe, except for gates.
class FaultPlan {
 public:
  /// The passes number skip + 1 … skip + times of `point` throw `error`.
  void fail(std::string point, Error error, int times = 1, int skip = 0);
  std::shared_ptr<Gate> block(std::string point);  ///< one gate for all passes of `point` until it is opened
  void clear();
  int passes(const std::string& point) const;  ///< how often `point` was reached, for assertions

  /// By the provider: counts, waits at a gate, throws what is planned.
  awaitable<void> pass(std::string point);

 private:
  struct Failure {
    Error error;
    int times;
    int skip;
  };
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Failure>> failures_;
  std::map<std::string, std::shared_ptr<Gate>> gates_;
  std::map<std::string, int> passes_;
};

}  // namespace swarm::fake
