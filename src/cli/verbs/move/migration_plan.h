// The plan of a move, for people.
#pragma once

#include <string>

#include "model/types/migration_plan.h"

namespace swarm::cli {

std::string planText(const std::string& name, const MigrationPlan& plan, int columns, bool colour);

}  // namespace swarm::cli
