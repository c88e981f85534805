// RouteSource: swaps the snapshot and notifies the listeners.
#include "controller/state/routes.h"

namespace swarm {

void RouteSource::publish(std::shared_ptr<const RouteTable> table) {
  table_.store(std::move(table));
  for (auto& listener : listeners_) listener();
}

}  // namespace swarm
