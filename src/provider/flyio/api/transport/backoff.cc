#include "provider/flyio/api/transport/backoff.h"

#include <random>

#include "async/deadline.h"
#include "base/error.h"

namespace swarm::flyio {

awaitable<void> pauseFor(std::chrono::milliseconds duration, Deadline deadline, std::string message) {
  if (deadline.left() <= duration) throw Error(ErrorCode::DeadlineExceeded, std::move(message));
  co_await async::sleepFor(duration);
}

std::chrono::milliseconds jittered(std::chrono::milliseconds duration) {
  thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_real_distribution<double> part(0.5, 1.0);
  return std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(duration.count()) * part(random)) + 1);
}

Backoff::Backoff(const Tuning& tuning, std::chrono::milliseconds patience)
    : delay_(tuning.firstPause),
      longest_(tuning.longestPause),
      patient_until_(std::chrono::steady_clock::now() + patience),
      min_pauses_(patience > std::chrono::milliseconds(0) ? kMinPauses : 0) {}

awaitable<void> Backoff::pause(Deadline deadline, std::string message) {
  std::chrono::milliseconds duration = jittered(delay_);
  delay_ = std::min(delay_ * 2, longest_);
  ++pauses_;
  return pauseFor(duration, deadline, std::move(message));
}

}  // namespace swarm::flyio
