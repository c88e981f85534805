// ChangePublisher: publishes changes of instances and operations as events, and of instances as routes.
#pragma once

#include "controller/publishing/route_publisher.h"
#include "controller/state/events.h"

namespace swarm::control {

class ChangePublisher {
 public:
  ChangePublisher(EventBus& events, RoutePublisher& routes) : events_(events), routes_(routes) {}

  void setStatus(Entry& entry, InstanceStatus status, std::string reason);  ///< in memory
  void changed(const Entry& entry);
  void changed(const Operation& operation);

 private:
  EventBus& events_;
  RoutePublisher& routes_;
};

}  // namespace swarm::control
