// The plan of a move, for people.
#pragma once

#include <string>

#include "model/types.h"

namespace swarm::cli {

std::string planText(const std::string& name, const MigrationPlan& plan, int columns, bool colour);

}  // namespace swarm::cli
