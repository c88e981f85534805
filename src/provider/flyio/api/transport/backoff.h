// Pauses between attempts.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "base/clock.h"
#include "provider/flyio/tuning.h"

namespace swarm::flyio {

using boost::asio::awaitable;

/// Waits; throws Error(DeadlineExceeded, message) at once when the deadline comes first.
awaitable<void> pauseFor(std::chrono::milliseconds duration, Deadline deadline, std::string message);

/// 50 to 100 % of `duration`.
std::chrono::milliseconds jittered(std::chrono::milliseconds duration);

/// Pauses that double each time, minus a random part of up to half.
class Backoff {
 public:
  static constexpr int kMinPauses = 3;

  /// `patience`: how long isPatient() remains true; unless 0, for at least kMinPauses pauses, however slow the responses are.
  explicit Backoff(const Tuning& tuning, std::chrono::milliseconds patience = std::chrono::hours(24));
  bool isPatient() const { return pauses_ < min_pauses_ || std::chrono::steady_clock::now() < patient_until_; }
  bool fits(Deadline deadline) const { return deadline.left() > delay_; }  ///< the next pause ends before the deadline
  std::chrono::milliseconds delay() const { return delay_; }
  awaitable<void> pause(Deadline deadline, std::string message);  ///< as pauseFor()

 private:
  std::chrono::milliseconds delay_;
  std::chrono::milliseconds longest_;
  SteadyTime patient_until_;
  int min_pauses_;
  int pauses_ = 0;
};

}  // namespace swarm::flyio
