// Finds a snapshot by what a user calls it.
#pragma once

#include <optional>
#include <string>

#include "cli/context.h"

namespace swarm::cli {

/// `wanted`: an id, a name (one of `instance` takes precedence), or INSTANCE/NAME. Nothing: not one of ours; the server knows whether it is
/// one of the provider's own. Throws Error for a name that several have.
std::optional<Snapshot> findSnapshot(Context& context, const std::string& wanted, const std::string& instance = {});

}  // namespace swarm::cli
