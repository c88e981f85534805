// ManualClock: time that a test advances.
#pragma once

#include "base/clock.h"

namespace swarm {

/// A clock that advances only when a test advances it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(SystemTime start = SystemTime(std::chrono::milliseconds(1'700'000'000'000))) : now_(start) {}
  SystemTime now() const override { return now_; }
  SteadyTime steadyNow() const override { return steady_; }
  void advance(std::chrono::milliseconds by) {
    now_ += by;
    steady_ += by;
  }

 private:
  SystemTime now_;
  SteadyTime steady_ = SteadyTime(std::chrono::hours(1));
};

}  // namespace swarm
