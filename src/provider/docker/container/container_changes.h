// What a container has in its own layer (GET /containers/{id}/changes): what goes with it when another one takes its place. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/types/update_plan.h"

namespace swarm::docker {

/// `answer` may be cut anywhere: what is whole of it counts. Folders that volumes are mounted at, and what is there to be lost (/tmp, /run,
/// caches, logs), are left out.
ReplacementLoss readChanges(std::string_view answer, bool is_cut, const std::vector<std::string>& mount_paths);

}  // namespace swarm::docker
