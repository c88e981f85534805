// Notifier: lets coroutines of one loop wait for a change without polling.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <vector>

#include "async/awaitable.h"
#include "base/clock.h"

namespace swarm::async {

/// One loop only. A waiter passes the version that it has seen, so that it does not miss a change between its check and its wait.
class Notifier {
 public:
  std::uint64_t version() const { return version_; }
  void notifyAll();
  /// True when the version is above `seen`, false at the deadline. Cancellable.
  awaitable<bool> wait(std::uint64_t seen, Deadline deadline);

 private:
  class WaiterRegistration;

  std::uint64_t version_ = 0;
  std::vector<boost::asio::steady_timer*> waiting_;  ///< stored in the waiters' frames
};

}  // namespace swarm::async
