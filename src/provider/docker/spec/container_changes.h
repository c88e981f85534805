// What a container has in its own layer, as the Engine lists it: what is removed with it when another one replaces it. Pure.
#pragma once

#include <string>
#include <vector>

#include "engine/client.h"
#include "model/types/update_plan.h"

namespace swarm::docker {

/// `changes` is the Engine's JSON, which may be cut anywhere: its complete entries count. Folders at which volumes are mounted, and what is
/// temporary anyway (/tmp, /run, caches, logs), are left out.
ReplacementLoss readChanges(const engine::PartialText& changes, const std::vector<std::string>& mount_paths);

}  // namespace swarm::docker
