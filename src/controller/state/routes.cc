// RouteSource: swaps the snapshot and notifies the listeners.
#include "controller/state/routes.h"

namespace swarm {

PortRule InstanceRoute::ruleOf(std::uint16_t port, SystemTime now) const {
  if (!ports) return {};
  const auto found = ports->find(port);
  const bool holds = found != ports->end() && (!found->second.expiresAt || *found->second.expiresAt > now);
  return holds ? found->second : PortRule();
}

void RouteSource::publish(std::shared_ptr<const RouteTable> table) {
  table_.store(std::move(table));
  for (auto& listener : listeners_) listener();
}

}  // namespace swarm
