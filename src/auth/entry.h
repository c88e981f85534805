// Entries of administrators into workspaces of other users, which are recorded.
#pragma once

#include <string_view>

#include "auth/permissions.h"
#include "model/types/ids.h"

namespace swarm {

/// Whether an entry into the instance, which belongs to `owner`, is recorded, and is announced to a browser's user first.
bool isRecordedEntry(const Principal& principal, std::string_view owner, const InstanceId& instance);
/// Records the entry, which is about to begin. `way`: the operation of the API, "vscode", or "port 8080".
void recordEntry(const Principal& principal, std::string_view owner, const InstanceId& instance, std::string_view way);

}  // namespace swarm
