// An order from a plan.
#include "provider/flyio/spec/machine_order.h"

namespace swarm::flyio {

MachineOrder orderOf(const InstancePlan& plan) {
  MachineOrder order;
  order.app = plan.app;
  order.placeId = plan.placeId;
  order.config = plan.config;
  order.guest = plan.guest;
  order.volumeGb = plan.volumeGb;
  order.regions = plan.regions;
  return order;
}

}  // namespace swarm::flyio
