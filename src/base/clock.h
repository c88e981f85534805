// Clock and Deadline: the only sources of time, so that tests can advance it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace swarm {

using SystemTime = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

/// Wall and steady time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SystemTime now() const = 0;
  virtual SteadyTime steadyNow() const = 0;
};

/// The real clock.
class RealClock final : public Clock {
 public:
  SystemTime now() const override { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }
  SteadyTime steadyNow() const override { return std::chrono::steady_clock::now(); }
};

/// The moment by which a call must complete. Every call that can block takes one. A value; cheap to copy.
class Deadline {
 public:
  static Deadline after(std::chrono::milliseconds duration) { return Deadline(std::chrono::steady_clock::now() + duration); }
  static Deadline at(SteadyTime time) { return Deadline(time); }
  static Deadline never() { return Deadline(SteadyTime::max()); }

  bool isNever() const { return time_ == SteadyTime::max(); }
  bool hasPassed() const { return !isNever() && std::chrono::steady_clock::now() >= time_; }
  SteadyTime time() const { return time_; }
  /// Time left, never negative; 24 h for never().
  std::chrono::milliseconds left() const {
    if (isNever()) return std::chrono::hours(24);
    auto left = std::chrono::ceil<std::chrono::milliseconds>(time_ - std::chrono::steady_clock::now());
    return left.count() < 0 ? std::chrono::milliseconds(0) : left;
  }
  /// The earlier of this deadline and `duration` from now.
  Deadline orAfter(std::chrono::milliseconds duration) const {
    Deadline other = after(duration);
    return other.time_ < time_ ? other : *this;
  }

 private:
  explicit Deadline(SteadyTime time) : time_(time) {}
  SteadyTime time_;
};

/// "2026-11-23T19:04:36.123Z" (RFC 3339, UTC, milliseconds).
std::string formatTime(SystemTime time);
/// The inverse; accepts fractions of any length and offsets. Throws Error(InvalidArgument).
SystemTime parseTime(std::string_view text);

}  // namespace swarm
