// Instances as JSON text without a document in between: a page of a hundred is a third of what a list request costs otherwise.
#pragma once

#include <string>

#include "model/types/instance.h"

namespace swarm::api {

/// Appends what serialize(toJson(instance)) gives, in the same order, from the same description; numbers without needless exponents.
void appendJson(std::string& out, const Instance& instance);

}  // namespace swarm::api
