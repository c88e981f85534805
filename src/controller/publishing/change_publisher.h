// ChangePublisher: publishes changes of instances and operations as events, and of instances as routes and in the ledger.
#pragma once

#include "controller/publishing/route_publisher.h"
#include "controller/state/events.h"

namespace swarm::control {

class ChangePublisher {
 public:
  ChangePublisher(Registry& registry, EventBus& events, RoutePublisher& routes) : registry_(registry), events_(events), routes_(routes) {}

  void setStatus(Entry& entry, InstanceStatus status, std::string reason);  ///< in memory
  void changed(const Entry& entry);
  void changed(const Operation& operation);

 private:
  Registry& registry_;
  EventBus& events_;
  RoutePublisher& routes_;
};

}  // namespace swarm::control
