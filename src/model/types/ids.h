// InstanceId and PlaceId: what an instance is called for life, and what a place of it is called at its provider.
#pragma once

#include "base/strong_id.h"

namespace swarm {

using InstanceId = StrongId<struct InstanceIdTag>;
using PlaceId = StrongId<struct PlaceIdTag>;

/// The place in which an instance is created. A move leaves it for one with an id of its own.
inline PlaceId firstPlaceOf(const InstanceId& instance) { return PlaceId(instance.str()); }

}  // namespace swarm
