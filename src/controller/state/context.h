// Context: what the controller's parts share. SwarmController::Impl owns the objects.
#pragma once

#include "async/background/background_tasks.h"
#include "controller/controller.h"
#include "controller/failure.h"
#include "controller/publishing/change_publisher.h"
#include "controller/publishing/route_publisher.h"
#include "controller/state/providers.h"
#include "controller/state/registry.h"

namespace swarm::control {

class ActiveOperations;
class Limits;

/// For the control loop only.
struct Context {
  async::Executor executor;
  Store& store;
  const Clock& clock;
  const ControllerOptions& options;
  const Providers& providers;
  Registry& registry;
  async::BackgroundTasks& tasks;
  EventBus& events;
  RoutePublisher& routes;
  ChangePublisher& changes;
  ActiveOperations& operations;
  const Limits& limits;
};

}  // namespace swarm::control
