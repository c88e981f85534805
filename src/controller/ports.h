// Ports: who opens the ports of instances in a browser (docs/adr/0014-levels-of-ports.md). The gateway reads the rules in the route table.
#pragma once

#include "async/lock/semaphore.h"
#include "controller/state/context.h"

namespace swarm::control {

/// For the control loop only.
class Ports {
 public:
  explicit Ports(const Context& context) : context_(context) {}
  awaitable<void> load();
  /// See SwarmController::setPort().
  awaitable<void> set(EntryPtr entry, std::uint16_t port, PortRule rule);
  awaitable<void> endExpired();

 private:
  void requireValid(const Entry& entry, std::uint16_t port, const PortRule& rule) const;
  void apply(Entry& entry, std::uint16_t port, const PortRule& rule);

  const Context& context_;
  async::Semaphore turns_{1, "Too many changes of ports at the same time. Try again."};  ///< the order in the store is that in memory
  SystemTime next_expiry_ = SystemTime::max();
};

}  // namespace swarm::control
